package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Unchanged clients use a listener of the protocol SSL. */
@Timeout(180)
class TlsTest {
    private static final int RECORDS = 10_000;

    @TempDir
    static Path directory;

    private static Path ofNode;
    private static Path ofClient;
    private static Path trusted;
    private static Path nodeCertificate;

    @BeforeAll
    static void makeKeys() {
        Keys keys = new Keys(directory);
        ofNode = keys.make("node", "CN=localhost");
        ofClient = keys.make("client", "CN=alice,OU=Users");
        nodeCertificate = keys.certificate("node");
        trusted = keys.certificate("client");
    }

    @Test
    void theJavaClientProducesAndConsumesWithoutACertificate() {
        try (FeliceNode node = node("none")) {
            produceAndConsume(node, settings());
        }
    }

    @Test
    void theJavaClientProducesAndConsumesWithACertificate() {
        Map<String, Object> settings = settings();
        settings.put("ssl.keystore.location", ofClient.toString());
        settings.put("ssl.keystore.password", Keys.PASSWORD);
        try (FeliceNode node = node("required")) {
            produceAndConsume(node, settings);

            assertThat(node.status("network.connections").cell("SSL", "tls.failed"))
                    .contains(0L);
        }
    }

    @Test
    void kcatProducesAndConsumes() throws IOException {
        try (FeliceNode node = node("none")) {
            Path lines = Files.write(directory.resolve("lines"), Java.numbered("line", 1000));
            List<String> kcat = List.of("kcat", "-b", node.bootstrap(), "-t", "of-kcat", "-p", "0");
            List<String> tls = List.of("-X", "security.protocol=ssl", "-X", "ssl.ca.location=" + nodeCertificate);
            Java.createTopic(node.bootstrap(), "of-kcat", 1, Map.of(), settings());

            Programs.feed(lines, together(kcat, tls, List.of("-P", "-l", lines.toString())));
            Path output = directory.resolve("output");
            Programs.drain(together(kcat, tls, List.of("-C", "-o", "beginning", "-q", "-c", "1000")), output);

            assertThat(output).hasSameTextualContentAs(lines);
        }
    }

    private static FeliceNode node(String clientAuth) {
        return FeliceNode.inMemory()
                .config("io.felice.network", "listeners", "SSL://127.0.0.1:0")
                .config("io.felice.network", "ssl.keystore.location", ofNode.toString())
                .config("io.felice.network", "ssl.keystore.password", Keys.PASSWORD)
                .config("io.felice.network", "ssl.truststore.location", trusted.toString())
                .config("io.felice.network", "ssl.client.auth", clientAuth)
                .start();
    }

    private static Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("security.protocol", "SSL");
        settings.put("ssl.truststore.type", "PEM");
        settings.put("ssl.truststore.location", nodeCertificate.toString());
        return settings;
    }

    private static void produceAndConsume(FeliceNode node, Map<String, Object> settings) {
        Java.createTopic(node.bootstrap(), "t", 1, Map.of(), settings);
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), settings)) {
            for (String value : Java.numbered("value", RECORDS)) {
                producer.send(new ProducerRecord<>("t", 0, null, value));
            }
        }
        List<String> read = new ArrayList<>();
        TopicPartition partition = new TopicPartition("t", 0);
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(node.bootstrap(), settings)) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            Java.await("all records are read", () -> {
                consumer.poll(Duration.ofMillis(200))
                        .forEach((ConsumerRecord<String, String> record) -> read.add(record.value()));
                return read.size() >= RECORDS;
            });
        }
        assertThat(read).isEqualTo(Java.numbered("value", RECORDS));
    }

    private static List<String> together(List<String> first, List<String> second, List<String> third) {
        return Stream.of(first, second, third).flatMap(List::stream).toList();
    }
}
