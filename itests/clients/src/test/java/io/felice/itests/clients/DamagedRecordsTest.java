package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.StatusTable;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import io.felice.itests.rig.Programs;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A byte of a stored record changes on the disk. */
@Timeout(120)
class DamagedRecordsTest {
    private static final String TOPIC = "orders";
    private static final int RECORDS = 500;
    private static final int DAMAGED = 123;

    @TempDir
    Path directory;

    @Test
    void itShowsWithinTheIntervalAndClientsGetAnErrorAndNeverTheWrongRecord() throws IOException {
        List<String> written = Java.numbered("the value of record", RECORDS);
        try (Node node = Node.in(directory)) {
            Java.createTopic(node.bootstrap(), TOPIC, 1, Map.of("segment.bytes", "4096"));
            Java.write(node.bootstrap(), TOPIC, 0, written);
        }
        spoil(" " + DAMAGED);

        try (Node node = Node.of(FeliceNode.in(directory))) {
            KafkaTools.CONFIGS.run(
                    "--bootstrap-server",
                    node.bootstrap(),
                    "--alter",
                    "--entity-type",
                    "brokers",
                    "--entity-default",
                    "--add-config",
                    "storage.scrub.interval.ms=200");
            Java.await("the damage is found", () -> !damage(node).rows().isEmpty());

            assertThat(damage(node).rows()).hasSize(1);
            assertThat(damage(node).cell(TOPIC + "-0", "from.offset")).contains(Integer.toString(DAMAGED));
            assertThat(damage(node).cell(TOPIC + "-0", "to.offset")).contains(DAMAGED + 1L);
            List<String> left = new ArrayList<>(written);
            left.remove(DAMAGED);
            assertThat(readByJava(node)).isEqualTo(left);
            assertThat(readByKcat(node, 0)).isEqualTo(written.subList(0, DAMAGED));
            assertThat(readByKcat(node, DAMAGED + 1)).isEqualTo(written.subList(DAMAGED + 1, RECORDS));
        }
    }

    /** Changes the first letter of the only record whose value ends like this. */
    private void spoil(String end) throws IOException {
        byte[] value = ("the value of record" + end).getBytes(UTF_8);
        try (Stream<Path> files = Files.list(directory.resolve("log").resolve(TOPIC + "-0"))) {
            for (Path file :
                    files.filter(one -> one.toString().endsWith(".log")).toList()) {
                String bytes = new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1);
                int at = bytes.indexOf(new String(value, UTF_8));
                if (at >= 0) {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.write(ByteBuffer.wrap(new byte[] {'T'}), at);
                    }
                    return;
                }
            }
        }
        throw new AssertionError("no record ends with" + end);
    }

    private static StatusTable damage(Node node) {
        return node.felice().status("broker.damage");
    }

    /** Seeks over what the broker says is damaged. */
    private static List<String> readByJava(Node node) {
        List<String> values = new ArrayList<>();
        TopicPartition source = new TopicPartition(TOPIC, 0);
        try (KafkaConsumer<String, String> consumer =
                Java.textConsumer(node.bootstrap(), Map.of("check.crcs", false))) {
            consumer.assign(List.of(source));
            consumer.seekToBeginning(List.of(source));
            int errors = 0;
            while (consumer.position(source) < RECORDS) {
                try {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                        values.add(record.value());
                    }
                } catch (KafkaException corrupt) {
                    assertThat(corrupt).hasMessageContaining("corrupt");
                    assertThat(consumer.position(source)).isEqualTo(DAMAGED);
                    errors++;
                    consumer.seek(source, DAMAGED + 1);
                }
            }
            assertThat(errors).isEqualTo(1);
        }
        return values;
    }

    /** kcat does not check checksums, as long as nobody tells it to. */
    private static List<String> readByKcat(Node node, int from) throws IOException {
        Path output = Programs.temporary("kcat");
        int count = from == 0 ? DAMAGED : RECORDS - from;
        Programs.drain(
                List.of(
                        "kcat",
                        "-C",
                        "-b",
                        node.bootstrap(),
                        "-t",
                        TOPIC,
                        "-p",
                        "0",
                        "-q",
                        "-o",
                        "" + from,
                        "-c",
                        "" + count),
                output);
        return Files.readAllLines(output);
    }
}
