package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * More keys than the memory for keys takes: a node with a heap of 256 MB compacts them in several runs. Run by
 * {@code ./dev soak compact}.
 */
class CompactionSoak {
    private static final int KEYS = Integer.getInteger("felice.keys", 10_000_000);
    /** Every so many-th key is written twice. */
    private static final int TWICE = 10;

    /** The active segment is not compacted; the first record after this time begins another one. */
    private static final long LAG_MS = 10_000;

    private static final long PAUSE_MS = 5_000;
    private static final String TOPIC = "states";
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    private static final Duration LONGEST = Duration.ofMinutes(20);

    @TempDir
    Path directory;

    @Test
    @Timeout(value = 40, unit = TimeUnit.MINUTES)
    void aSmallHeapCompactsManyKeys() throws IOException {
        try (DistributionNode node = DistributionNode.withHeap("256m", directory)) {
            node.start();
            Java.createTopic(
                    node.bootstrap(),
                    TOPIC,
                    1,
                    Map.of(
                            "cleanup.policy",
                            "compact",
                            "segment.bytes",
                            Integer.toString(32 << 20),
                            "min.cleanable.dirty.ratio",
                            "0.001",
                            "max.compaction.lag.ms",
                            Long.toString(LAG_MS)));
            long began = System.nanoTime();
            write(node.bootstrap());
            System.out.printf("%,d records are written after %d s%n", KEYS + KEYS / TWICE, secondsSince(began));
            began = System.nanoTime();
            long records = KEYS + KEYS / TWICE;
            while (records > KEYS + 1) {
                assertThat(secondsSince(began)).isLessThan(LONGEST.toSeconds());
                sleep(PAUSE_MS);
                records = read(node.bootstrap());
                System.out.printf("%,d records are left after %d s%n", records, secondsSince(began));
            }
            System.out.print(node.exec("felice:status broker.compaction"));
            assertThat(records).isEqualTo(KEYS + 1);
        }
    }

    private static long secondsSince(long nanos) {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - nanos);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    /** The last record is alone in the active segment, so that all others can be compacted. */
    private static void write(String bootstrap) {
        AtomicReference<Exception> failure = new AtomicReference<>();
        Map<String, Object> settings = Map.of("linger.ms", "5", "batch.size", "131072");
        try (KafkaProducer<byte[], byte[]> producer = Java.producer(bootstrap, settings)) {
            for (int key = 0; key < KEYS; key++) {
                send(producer, key, 1, failure);
            }
            for (int key = 0; key < KEYS; key += TWICE) {
                send(producer, key, 2, failure);
            }
            producer.flush();
            sleep(LAG_MS);
            Java.get(producer.send(new ProducerRecord<>(TOPIC, 0, new byte[] {1}, new byte[] {1})));
        }
        assertThat(failure.get()).isNull();
    }

    private static void send(
            KafkaProducer<byte[], byte[]> producer, int key, int value, AtomicReference<Exception> failure) {
        producer.send(new ProducerRecord<>(TOPIC, 0, bytes(key), bytes(value)), (metadata, problem) -> {
            if (problem != null) {
                failure.set(problem);
            }
        });
    }

    private static byte[] bytes(int number) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }

    /** The number of records. No latest record of a key is missing. */
    private static long read(String bootstrap) {
        BitSet latest = new BitSet(KEYS);
        long records = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Java.consumer(bootstrap, Map.of())) {
            consumer.assign(List.of(PARTITION));
            consumer.seekToBeginning(List.of(PARTITION));
            long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
            while (consumer.position(PARTITION) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    records++;
                    if (record.key().length == Integer.BYTES) {
                        int key = ByteBuffer.wrap(record.key()).getInt();
                        int value = ByteBuffer.wrap(record.value()).getInt();
                        latest.set(key, latest.get(key) || value == (key % TWICE == 0 ? 2 : 1));
                    }
                }
            }
        }
        assertThat(latest.cardinality()).isEqualTo(KEYS);
        return records;
    }
}
