package io.felice.itests.container;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads the writer's records, and checks that each partition has its numbers once and in order. */
final class TrafficReader extends TrafficClient {
    private static final Duration POLL = Duration.ofMillis(200);

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final boolean commits;
    private final long[] expected = new long[Traffic.PARTITIONS];
    private volatile long read;
    private volatile long closedConnections;

    private TrafficReader(String name, String bootstrap, String topic, boolean commits, Queue<String> failures) {
        super(name, failures);
        this.commits = commits;
        consumer = new KafkaConsumer<>(
                settings(
                        bootstrap,
                        Map.of(
                                "group.id",
                                Traffic.group(topic),
                                "auto.offset.reset",
                                "earliest",
                                "enable.auto.commit",
                                false)),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        for (int partition = 0; partition < expected.length; partition++) {
            expected[partition] = partition;
        }
    }

    static TrafficReader ofAll(String bootstrap, String topic, Queue<String> failures) {
        TrafficReader reader = new TrafficReader("follower", bootstrap, topic, false, failures);
        reader.consumer.assign(Traffic.partitions(topic));
        reader.consumer.seekToBeginning(Traffic.partitions(topic));
        return reader;
    }

    static TrafficReader inGroup(String bootstrap, String topic, Queue<String> failures) {
        TrafficReader reader = new TrafficReader("group member", bootstrap, topic, true, failures);
        reader.consumer.subscribe(List.of(topic));
        return reader;
    }

    long read() {
        return read;
    }

    /** As of the last poll. */
    long closedConnections() {
        return closedConnections;
    }

    @Override
    void work() {
        try (consumer) {
            long last = System.nanoTime();
            while (!ends()) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                records.forEach(this::check);
                if (!records.isEmpty()) {
                    took(last);
                    last = System.nanoTime();
                    commit();
                    read += records.count();
                }
                closedConnections = closedConnections(consumer.metrics());
            }
        }
    }

    private void commit() {
        if (commits) {
            consumer.commitSync();
        }
    }

    private void check(ConsumerRecord<byte[], byte[]> record) {
        long number = ByteBuffer.wrap(record.value()).getLong();
        int partition = record.partition();
        if (number != expected[partition]) {
            fail("partition " + partition + " has " + number + " at offset " + record.offset() + " instead of "
                    + expected[partition]);
        }
        expected[partition] = number + Traffic.PARTITIONS;
    }
}
