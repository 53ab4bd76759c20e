package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Repeated commits of groups do not make {@code __consumer_offsets} grow without limit. */
@Timeout(300)
class CompactionTest {
    private static final String OFFSETS = "__consumer_offsets";
    private static final List<String> GROUPS = List.of("first", "second", "third");
    private static final String FORGOTTEN = "forgotten";
    private static final int PARTITIONS = 10;
    private static final int ROUNDS = 3;
    private static final int COMMITS_PER_ROUND = 500;
    private static final int SEGMENT_BYTES = 20_000;
    /**
     * The most bytes of the offsets topic after compaction: the active segment, the records since the last
     * compaction, and the newest record of every key.
     */
    private static final long BOUND = 6 * SEGMENT_BYTES;

    @TempDir
    Path directory;

    private final Map<String, Map<TopicPartition, OffsetAndMetadata>> committed = new HashMap<>();

    @Test
    void theOffsetsTopicStaysSmallAndHasEveryGroupAfterARestart() {
        try (Node node = start()) {
            Java.createTopic(node.bootstrap(), "orders", PARTITIONS, Map.of());
            commit(node, FORGOTTEN, 1);
            configure(node, "segment.bytes", SEGMENT_BYTES);
            forget(node);
            long written = 0;
            for (int round = 0; round < ROUNDS; round++) {
                for (String group : GROUPS) {
                    commit(node, group, COMMITS_PER_ROUND);
                }
                Java.await("the offsets topic is small again", () -> offsetsBytes() < BOUND);
                written = offsetsBytes() + status(node, "saved.bytes");
            }
            Java.await("a compaction has ended", () -> status(node, "compactions") > 0);
            assertThat(written).isGreaterThan(5 * BOUND);
            assertThat(offsets(node)).isEqualTo(committed);
        }

        try (Node node = start()) {
            assertThat(offsets(node)).isEqualTo(committed);
            commit(node, GROUPS.get(0), 1);
            assertThat(offsets(node)).isEqualTo(committed);
        }
    }

    private Node start() {
        return Node.of(FeliceNode.in(directory)
                .config("io.felice.broker", "offsets.topic.num.partitions", 1)
                .config("io.felice.broker", "log.cleaner.backoff.ms", 500));
    }

    private void commit(Node node, String group, int times) {
        try (KafkaConsumer<byte[], byte[]> consumer = Java.consumer(node.bootstrap(), Map.of("group.id", group))) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new TopicPartition("orders", partition));
            }
            consumer.assign(partitions);
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>(committed.getOrDefault(group, Map.of()));
            for (int time = 0; time < times; time++) {
                for (TopicPartition partition : partitions) {
                    long before = offsets.containsKey(partition)
                            ? offsets.get(partition).offset()
                            : partition.partition();
                    offsets.put(partition, new OffsetAndMetadata(before + 7, "at " + time));
                }
                consumer.commitSync(offsets);
            }
            committed.put(group, offsets);
        }
    }

    private void forget(Node node) {
        try (Admin admin = Java.admin(node.bootstrap())) {
            Java.get(admin.deleteConsumerGroups(List.of(FORGOTTEN)).all());
        }
        committed.put(FORGOTTEN, Map.of());
    }

    private Map<String, Map<TopicPartition, OffsetAndMetadata>> offsets(Node node) {
        Map<String, Map<TopicPartition, OffsetAndMetadata>> found = new HashMap<>();
        try (Admin admin = Java.admin(node.bootstrap())) {
            for (String group : committed.keySet()) {
                found.put(group, Java.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()));
            }
        }
        return found;
    }

    private static void configure(Node node, String key, int value) {
        try (Admin admin = Java.admin(node.bootstrap())) {
            ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, OFFSETS);
            AlterConfigOp set =
                    new AlterConfigOp(new ConfigEntry(key, Integer.toString(value)), AlterConfigOp.OpType.SET);
            Java.get(admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all());
        }
    }

    private static long status(Node node, String what) {
        return (Long) node.felice().status("broker.compaction").value(what).orElseThrow();
    }

    private long offsetsBytes() {
        try (Stream<Path> files = Files.list(directory.resolve("log").resolve(OFFSETS + "-0"))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .mapToLong(CompactionTest::sizeOf)
                    .sum();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The size of a file. 0 if compaction has deleted the file meanwhile. */
    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (NoSuchFileException gone) {
            return 0;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
