package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.partition.Strays;
import io.felice.api.partition.Strays.StrayTopic;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logs of a lost cluster that were copied into a new node's data directory become topics again. */
class StrayTopicsTest {
    private static final String OWNER = "cluster.id";
    /**
     * Few enough that the broker still remembers every batch of the old producers. A new batch with the same producer
     * id and sequence numbers would be a duplicate.
     */
    private static final int RECORDS = 3;

    @TempDir
    Path directory;

    private Path restored;

    @BeforeEach
    void restoreTheLogsOfAnotherNode() throws IOException {
        Path lost = directory.resolve("lost");
        try (FeliceNode node = FeliceNode.in(lost).start()) {
            Java.createTopic(node.bootstrap(), "orders", 4, Map.of());
            Java.createTopic(node.bootstrap(), "bills", 1, Map.of());
            write(node, "orders", 0, RECORDS, "old");
            write(node, "orders", 2, RECORDS, "old");
            write(node, "bills", 0, RECORDS, "old");
        }
        restored = directory.resolve("new");
        copy(lost.resolve("log"), restored.resolve("log"));
        withoutOwner(restored.resolve("log/felice-log.properties"));
    }

    @Test
    void aTopicIsCreatedAgainWithTheRecordsOfItsStrayLogs() {
        try (FeliceNode node = start()) {
            Strays strays = node.service(Strays.class);
            List<StrayTopic> found = get(strays.list());
            assertThat(found).extracting(StrayTopic::topic).containsExactly("bills", "orders");
            assertThat(found).extracting(StrayTopic::partitions).containsExactly(List.of(0), List.of(0, 2));
            StrayTopic orders = found.get(1);
            assertThatThrownBy(() -> get(strays.takeIn(orders.topicId(), OptionalInt.of(2))))
                    .hasMessageContaining("at least 3 partitions");

            assertThat(get(strays.takeIn(orders.topicId(), OptionalInt.of(4)))).isEqualTo(4);

            assertThat(values(node, "orders", 0, RECORDS)).containsOnly("old");
            assertThat(values(node, "orders", 2, RECORDS)).containsOnly("old");
            write(node, "orders", 0, RECORDS, "new");
            write(node, "orders", 2, RECORDS, "new");
            write(node, "orders", 3, 1, "new");
            for (int partition : List.of(0, 2)) {
                List<String> both = values(node, "orders", partition, 2 * RECORDS);
                assertThat(both.subList(0, RECORDS)).containsOnly("old");
                assertThat(both.subList(RECORDS, 2 * RECORDS)).containsOnly("new");
            }
            assertThat(get(strays.list())).extracting(StrayTopic::topic).containsExactly("bills");
        }
        try (FeliceNode node = start()) {
            assertThat(values(node, "orders", 2, 2 * RECORDS)).contains("old", "new");
            assertThat(get(node.service(Strays.class).list()))
                    .extracting(StrayTopic::topic)
                    .containsExactly("bills");
        }
    }

    @Test
    void aTopicIsNotCreatedAgainIfAnotherTopicHasItsName() {
        try (FeliceNode node = start()) {
            Java.createTopic(node.bootstrap(), "bills", 1, Map.of());
            write(node, "bills", 0, 3, "new");
            Strays strays = node.service(Strays.class);
            StrayTopic bills = get(strays.list()).get(0);

            assertThatThrownBy(() -> get(strays.takeIn(bills.topicId(), OptionalInt.empty())))
                    .hasMessageContaining("There is a topic named bills");

            assertThat(values(node, "bills", 0, 3)).containsOnly("new");
            assertThat(get(strays.list())).contains(bills);
        }
    }

    private FeliceNode start() {
        return FeliceNode.in(restored)
                .config("io.felice.broker", "stray.log.delay.ms", 0)
                .start();
    }

    private static <T> T get(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    /**
     * Writes with one new producer. Its sequence numbers start at 0 and its producer id is the next of its cluster, so
     * that producers of both clusters have the same ids.
     */
    private static void write(FeliceNode node, String topic, int partition, int count, String value) {
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>(topic, partition, null, value));
                producer.flush();
            }
        }
    }

    private static List<String> values(FeliceNode node, String topic, int partition, int count) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(node.bootstrap(), Map.of())) {
            TopicPartition from = new TopicPartition(topic, partition);
            consumer.assign(List.of(from));
            consumer.seekToBeginning(List.of(from));
            Java.await(count + " records of " + from, () -> {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
                return values.size() >= count;
            });
        }
        return values;
    }

    private static void withoutOwner(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).anyMatch(line -> line.startsWith(OWNER));
        Files.write(file, lines.stream().filter(line -> !line.startsWith(OWNER)).toList());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path target = to.resolve(from.relativize(path));
                Files.createDirectories(target.getParent());
                Files.copy(path, target);
            }
        }
    }
}
