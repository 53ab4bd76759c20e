package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics with a {@code compression.type} of their own, written by producers with every codec. */
@Timeout(300)
class BrokerCompressionTest {
    private static final List<String> TYPES = List.of("uncompressed", "gzip", "snappy", "lz4", "zstd");
    private static final int LINES = 2_000;

    @TempDir
    static Path directory;

    private static Node node;

    @BeforeAll
    static void start() {
        node = Node.in(directory.resolve("node"));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    void everyClientReadsWhatEveryProducerWroteAndTheLogHasTheTopicsCodecOnly() throws IOException {
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        TYPES.forEach(type -> Java.createTopic(
                node.bootstrap(), "as-" + type, 1, Map.of("compression.type", type, "compression.zstd.level", "7")));
        for (Client producer : List.of(Client.JAVA, Client.KCAT)) {
            for (String codec : Client.CODECS) {
                Path lines = Files.write(
                        directory.resolve("lines"), Java.numbered(producer + " with " + codec + " writes line", LINES));
                expected.write(Files.readAllBytes(lines));
                TYPES.forEach(type -> producer.produce(node.bootstrap(), "as-" + type, codec, lines));
            }
        }

        for (Client consumer : List.of(Client.JAVA, Client.KCAT)) {
            Map<String, Path> outputs = new LinkedHashMap<>();
            TYPES.forEach(type -> outputs.put("as-" + type, directory.resolve(consumer + type)));
            consumer.consume(node.bootstrap(), 2L * Client.CODECS.size() * LINES, outputs);
            for (Path output : outputs.values()) {
                assertThat(Files.readAllBytes(output)).as(output.toString()).isEqualTo(expected.toByteArray());
            }
        }
        for (String type : TYPES) {
            // Behind the last batch there may be zeros until the log is idle, and the tool takes them for a batch.
            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                String dumped = KafkaTools.DUMP_LOG.run("--files", segmentsOf("as-" + type));
                assertThat(codecsIn(dumped)).as(type).containsExactly(type.equals("uncompressed") ? "none" : type);
                assertThat(dumped).contains("isvalid: true").doesNotContain("isvalid: false");
            });
        }
    }

    @Test
    void keysHeadersAndTimesStayAsTheyWereProduced() {
        Java.createTopic(node.bootstrap(), "whole", 1, Map.of("compression.type", "zstd"));
        try (KafkaProducer<String, String> producer =
                Java.textProducer(node.bootstrap(), Map.of("compression.type", "gzip", "linger.ms", 50))) {
            for (int i = 0; i < 1_000; i++) {
                producer.send(new ProducerRecord<>(
                        "whole",
                        0,
                        1_700_000_000_000L + i,
                        i % 3 == 0 ? null : "key " + i,
                        i % 7 == 0 ? null : "value " + i,
                        List.of(new RecordHeader("n", Integer.toString(i).getBytes(UTF_8)))));
            }
        }

        List<ConsumerRecord<String, String>> read = Java.records(node.bootstrap(), "whole", 0);

        assertThat(read).hasSize(1_000);
        for (int i = 0; i < read.size(); i++) {
            ConsumerRecord<String, String> record = read.get(i);
            assertThat(record.offset()).isEqualTo(i);
            assertThat(record.timestamp()).isEqualTo(1_700_000_000_000L + i);
            assertThat(record.key()).isEqualTo(i % 3 == 0 ? null : "key " + i);
            assertThat(record.value()).isEqualTo(i % 7 == 0 ? null : "value " + i);
            assertThat(new String(record.headers().lastHeader("n").value(), UTF_8))
                    .isEqualTo(Integer.toString(i));
        }
    }

    @Test
    void aBatchThatBecomesTooLargeIsRefusedWithKafkasError() {
        Java.createTopic(node.bootstrap(), "narrow", 1, Map.of("compression.type", "uncompressed"));
        try (KafkaProducer<String, String> producer = Java.textProducer(
                node.bootstrap(), Map.of("compression.type", "zstd", "max.request.size", 10_000_000))) {
            assertThat(producer.send(new ProducerRecord<>("narrow", "x".repeat(3_000_000))))
                    .failsWithin(java.time.Duration.ofSeconds(30))
                    .withThrowableOfType(java.util.concurrent.ExecutionException.class)
                    .withCauseInstanceOf(RecordTooLargeException.class);
        }
    }

    private static String segmentsOf(String topic) throws IOException {
        try (Stream<Path> files =
                Files.list(directory.resolve("node").resolve("log").resolve(topic + "-0"))) {
            return files.map(Path::toString)
                    .filter(file -> file.endsWith(".log"))
                    .collect(Collectors.joining(","));
        }
    }

    private static List<String> codecsIn(String dumped) {
        List<String> codecs = new ArrayList<>();
        for (String line : dumped.split("\n")) {
            int at = line.indexOf("compresscodec: ");
            if (at >= 0) {
                codecs.add(line.substring(at + "compresscodec: ".length()).split(" ")[0]);
            }
        }
        return codecs.stream().distinct().toList();
    }
}
