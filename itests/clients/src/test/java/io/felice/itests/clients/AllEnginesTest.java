package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Topics in every engine of the distribution: clients see no difference, and what is in files survives a kill. */
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AllEnginesTest {
    private static final int LINES = 100_000;
    private static final List<String> ENGINES = List.of("log", "memory", "mvstore");

    @TempDir
    static Path directory;

    private static DistributionNode node;

    @BeforeAll
    static void kcatWritesTheSameToEveryEngine() {
        node = DistributionNode.in(directory);
        node.start();
        for (String engine : ENGINES) {
            Java.createTopic(
                    node.bootstrap(),
                    topic(engine),
                    1,
                    Map.of("storage.engine", engine, "segment.bytes", Integer.toString(1 << 20)));
            Client.KCAT.produce(node.bootstrap(), topic(engine), "lz4", Corpus.first(LINES));
        }
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static String topic(String engine) {
        return "lines-in-" + engine;
    }

    @ParameterizedTest
    @EnumSource(Client.class)
    @Order(1)
    void everyClientReadsTheSameFromEveryEngine(Client reader) throws IOException {
        Map<String, Path> outputs = new HashMap<>();
        ENGINES.forEach(engine -> outputs.put(topic(engine), directory.resolve(reader + "-" + engine)));

        reader.consume(node.bootstrap(), LINES, outputs);

        for (Map.Entry<String, Path> output : outputs.entrySet()) {
            assertThat(Files.mismatch(output.getValue(), Corpus.first(LINES)))
                    .as("%s read by %s", output.getKey(), reader)
                    .isEqualTo(-1);
            Files.delete(output.getValue());
        }
    }

    @Test
    @Order(2)
    void oneGroupReadsTopicsOfThreeEngines() throws IOException {
        Map<String, List<String>> read = new HashMap<>();
        Map<String, Object> settings = Map.of(
                "group.id",
                "of-all-engines",
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                false,
                "max.poll.records",
                20_000);
        for (int member = 0; member < 2; member++) {
            try (KafkaConsumer<String, String> consumer = Java.textConsumer(node.bootstrap(), settings)) {
                consumer.subscribe(ENGINES.stream().map(AllEnginesTest::topic).toList());
                int most = (member + 1) * ENGINES.size() * LINES / 2;
                Java.await(most + " records are read", () -> {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                        read.computeIfAbsent(record.topic(), unused -> new ArrayList<>())
                                .add(record.value());
                    }
                    return read.values().stream().mapToInt(List::size).sum() >= most;
                });
                consumer.commitSync();
            }
        }

        List<String> lines = Files.readAllLines(Corpus.first(LINES));
        ENGINES.forEach(engine ->
                assertThat(read.get(topic(engine))).as(engine).hasSize(LINES).isEqualTo(lines));
    }

    /** The backup is made while the node serves, and takes the place of the store files after a kill. */
    @Test
    @Order(3)
    void aBackupOfTheStoreFilesIsRestored() throws IOException {
        Path backup = directory.resolve("backup");
        String said = node.exec("felice:store-backup " + backup);
        assertThat(said).contains(backup.toString());
        Java.write(node.bootstrap(), topic("mvstore"), 0, List.of("after the backup"));
        Path output = directory.resolve("again");
        node.kill();

        node.start();

        assertThat(last(topic("mvstore"))).as("after a kill").isEqualTo("after the backup");
        node.kill();
        Path files = directory.resolve("data/mvstore");
        Programs.run(List.of("rm", "-rf", files.toString()), directory);
        Programs.run(List.of("cp", "-r", backup.toString(), files.toString()), directory);
        node.start();
        Client.KCAT.consume(node.bootstrap(), LINES, Map.of(topic("mvstore"), output));
        assertThat(Files.mismatch(output, Corpus.first(LINES))).isEqualTo(-1);
        assertThat(last(topic("mvstore"))).isNotEqualTo("after the backup");
        assertThat(Java.write(node.bootstrap(), topic("mvstore"), 0, List.of("goes on"))
                        .offset())
                .isEqualTo(LINES);
        assertThat(node.exec("felice:store-compact")).contains("bytes were moved");
        assertThat(last(topic("mvstore"))).isEqualTo("goes on");
    }

    private static String last(String topic) {
        List<String> values = Java.values(node.bootstrap(), topic, 0);
        return values.get(values.size() - 1);
    }
}
