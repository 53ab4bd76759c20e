package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.NodeProcess;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * After kill -9, a node with many partitions recovers all of them with their records. It recovers logs in parallel.
 */
class RecoveryTest {
    private static final int TOPICS = 5;
    private static final int PARTITIONS_PER_TOPIC = Integer.getInteger("felice.partitions", 5_000) / TOPICS;

    @TempDir
    Path directory;

    @Test
    @Timeout(600)
    void everyPartitionIsRecoveredAfterAKill() {
        try (NodeProcess node = NodeProcess.in(directory.resolve("node"))) {
            node.start();
            long started = System.nanoTime();
            for (int topic = 0; topic < TOPICS; topic++) {
                Java.createTopic(node.bootstrap(), "many-" + topic, PARTITIONS_PER_TOPIC, Map.of());
            }
            long began = System.nanoTime();
            writeToEach(node.bootstrap());
            long written = System.nanoTime();
            node.kill();

            long killed = System.nanoTime();
            node.start();
            long ready = System.nanoTime();
            awaitEnds(node.bootstrap(), 1);
            long whole = System.nanoTime();
            long atOnce = node.status("broker.storage", "log", "opened.at.once");

            System.out.printf(
                    "%d partitions: made in %d ms, written to in %d ms; after kill -9 ready in %d ms, all led in %d ms,"
                            + " %d logs opened at once%n",
                    TOPICS * PARTITIONS_PER_TOPIC,
                    (began - started) / 1_000_000,
                    (written - began) / 1_000_000,
                    (ready - killed) / 1_000_000,
                    (whole - killed) / 1_000_000,
                    atOnce);
            assertThat(atOnce).as("logs opened at once").isGreaterThan(1);
            assertThat(node.status("broker.recovery", "opened", "value"))
                    .isGreaterThanOrEqualTo(TOPICS * PARTITIONS_PER_TOPIC);
            writeToEach(node.bootstrap());
            awaitEnds(node.bootstrap(), 2);
        }
    }

    private static void writeToEach(String bootstrap) {
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (KafkaProducer<String, String> producer = Java.textProducer(bootstrap, Map.of())) {
            for (TopicPartition partition : partitions(null).keySet()) {
                producer.send(
                        new ProducerRecord<>(partition.topic(), partition.partition(), null, partition.toString()),
                        (metadata, problem) -> {
                            if (problem != null) {
                                failure.set(problem);
                            }
                        });
            }
        }
        assertThat(failure.get()).isNull();
    }

    private static void awaitEnds(String bootstrap, long end) {
        try (Admin admin = Java.admin(bootstrap)) {
            Java.await("every partition ends at " + end, () -> {
                try {
                    return admin.listOffsets(partitions(OffsetSpec.latest())).all().get().values().stream()
                            .allMatch(offset -> offset.offset() == end);
                } catch (ExecutionException notYet) {
                    return false;
                } catch (InterruptedException interrupted) {
                    throw new AssertionError(interrupted);
                }
            });
        }
    }

    private static Map<TopicPartition, OffsetSpec> partitions(OffsetSpec spec) {
        Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
        for (int topic = 0; topic < TOPICS; topic++) {
            for (int partition = 0; partition < PARTITIONS_PER_TOPIC; partition++) {
                partitions.put(new TopicPartition("many-" + topic, partition), spec);
            }
        }
        return partitions;
    }
}
