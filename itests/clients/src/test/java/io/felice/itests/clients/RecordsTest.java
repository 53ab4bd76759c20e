package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import io.felice.testkit.FeliceNode;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Acknowledgements, timestamps, offsets, and the deletion of records. */
@Timeout(120)
class RecordsTest {
    @TempDir
    static Path directory;

    private static Node node;
    private static Admin admin;

    @BeforeAll
    static void start() {
        node = Node.of(FeliceNode.in(directory).config("io.felice.broker", "log.retention.check.interval.ms", 200));
        admin = Java.admin(node.bootstrap());
    }

    @AfterAll
    static void stop() {
        admin.close();
        node.close();
    }

    @Test
    void recordsAreWrittenWithoutAcknowledgements() {
        Java.createTopic(node.bootstrap(), "unacknowledged", 1, Map.of());
        Map<String, Object> settings = Map.of("acks", "0", "enable.idempotence", false);
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), settings)) {
            Java.numbered("value", 1000).forEach(value -> producer.send(new ProducerRecord<>("unacknowledged", value)));
        }

        Java.await("all are there", () -> end("unacknowledged") == 1000);
        assertThat(Java.values(node.bootstrap(), "unacknowledged", 0)).isEqualTo(Java.numbered("value", 1000));
    }

    @Test
    void aProduceRequestWithoutAcknowledgementGetsNoAnswer() throws IOException {
        Java.createTopic(node.bootstrap(), "silent", 1, Map.of());
        try (Wire wire = new Wire(node.bootstrap())) {
            wire.send(ApiKeys.PRODUCE, 9, unacknowledged("silent"));
            RequestHeader next = wire.send(ApiKeys.API_VERSIONS, 0, new ApiVersionsRequestData());

            int correlation = ByteBuffer.wrap(wire.receive()).getInt();

            assertThat(correlation).isEqualTo(next.correlationId());
        }
        assertThat(end("silent")).isEqualTo(1);
    }

    @Test
    void aProduceRequestWithoutAcknowledgementThatFailsClosesTheConnection() throws IOException {
        try (Wire wire = new Wire(node.bootstrap())) {
            wire.send(ApiKeys.PRODUCE, 9, unacknowledged("no-such-topic"));

            boolean closed = false;
            try {
                wire.receive();
            } catch (EOFException | SocketException end) {
                closed = true;
            }

            assertThat(closed).isTrue();
        }
    }

    /**
     * The partition returns only whole batches. A fetch whose minimum and maximum are both one megabyte therefore never
     * gets a full megabyte.
     */
    @Test
    void aConsumerWithLargeFetchesDoesNotWaitForExistingRecords() {
        int written = 12_000;
        Java.createTopic(node.bootstrap(), "large-fetches", 1, Map.of("segment.bytes", "3000000"));
        try (KafkaProducer<byte[], byte[]> producer = Java.producer(node.bootstrap(), Map.of())) {
            for (int i = 0; i < written; i++) {
                producer.send(new ProducerRecord<>("large-fetches", new byte[1000]));
            }
        }
        Map<String, Object> large = Map.of("fetch.min.bytes", 1 << 20, "fetch.max.wait.ms", 20_000);

        int read = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Java.consumer(node.bootstrap(), large)) {
            TopicPartition partition = new TopicPartition("large-fetches", 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (read < written - 1_200 && System.nanoTime() < end) {
                read += consumer.poll(Duration.ofMillis(500)).count();
            }
        }

        assertThat(read).as("all but less than the last megabyte").isGreaterThanOrEqualTo(written - 1_200);
    }

    @Test
    void logAppendTimeIsTheTimeOfTheBroker() {
        Java.createTopic(node.bootstrap(), "stamped", 1, Map.of("message.timestamp.type", "LogAppendTime"));
        long before = System.currentTimeMillis();
        for (String codec : List.of("none", "lz4")) {
            try (KafkaProducer<String, String> producer =
                    Java.textProducer(node.bootstrap(), Map.of("compression.type", codec, "linger.ms", 20))) {
                for (int i = 0; i < 10; i++) {
                    producer.send(new ProducerRecord<>("stamped", 0, 1000L + i, null, codec + i));
                }
            }
        }

        List<ConsumerRecord<String, String>> records = Java.records(node.bootstrap(), "stamped", 0);

        assertThat(records).hasSize(20).allSatisfy(record -> {
            assertThat(record.timestampType()).isEqualTo(TimestampType.LOG_APPEND_TIME);
            assertThat(record.timestamp()).isBetween(before, System.currentTimeMillis());
        });
    }

    @Test
    void createTimeIsTheTimeOfTheProducer() {
        Java.createTopic(node.bootstrap(), "created", 1, Map.of("retention.ms", "-1"));
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            Java.get(producer.send(new ProducerRecord<>("created", 0, 1234L, "key", "value")));
        }

        ConsumerRecord<String, String> record =
                Java.records(node.bootstrap(), "created", 0).get(0);

        assertThat(record.timestamp()).isEqualTo(1234);
        assertThat(record.timestampType()).isEqualTo(TimestampType.CREATE_TIME);
    }

    @Test
    void timestampsOutsideTheBoundsAreRefused() {
        Java.createTopic(
                node.bootstrap(),
                "bounded",
                1,
                Map.of("message.timestamp.before.max.ms", "60000", "message.timestamp.after.max.ms", "60000"));
        long now = System.currentTimeMillis();

        assertThat(failureOfWriting("bounded", now - 120_000)).isInstanceOf(InvalidTimestampException.class);
        assertThat(failureOfWriting("bounded", now + 120_000)).isInstanceOf(InvalidTimestampException.class);
        assertThat(failureOfWriting("bounded", now - 1000)).isNull();
        assertThat(end("bounded")).isEqualTo(1);
    }

    @Test
    void aRecordAboveTheTopicsLimitIsRefused() {
        Java.createTopic(node.bootstrap(), "narrow", 1, Map.of("max.message.bytes", "500"));
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            assertThat(failureOf(producer.send(new ProducerRecord<>("narrow", "x".repeat(1000)))))
                    .isInstanceOf(RecordTooLargeException.class);
            assertThat(failureOf(producer.send(new ProducerRecord<>("narrow", "x".repeat(100)))))
                    .isNull();
        }
    }

    @Test
    void offsetsAreFoundByTimestampAndAtTheEndsOfThePartition() {
        Java.createTopic(node.bootstrap(), "timed", 1, Map.of("retention.ms", "-1"));
        TopicPartition partition = new TopicPartition("timed", 0);
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            for (long time : new long[] {1000, 5000, 3000, 2000}) {
                Java.get(producer.send(new ProducerRecord<>("timed", 0, time, null, "at " + time)));
            }
        }

        assertThat(offset(partition, OffsetSpec.earliest())).isZero();
        assertThat(offset(partition, OffsetSpec.latest())).isEqualTo(4);
        assertThat(offset(partition, OffsetSpec.maxTimestamp())).isEqualTo(1);
        assertThat(offset(partition, OffsetSpec.forTimestamp(0))).isZero();
        assertThat(offset(partition, OffsetSpec.forTimestamp(1001))).isEqualTo(1);
        assertThat(offset(partition, OffsetSpec.forTimestamp(5001))).isEqualTo(-1);
        assertThat(offset(partition, OffsetSpec.earliestLocal())).isZero();
        assertThat(offset(partition, OffsetSpec.latestTiered())).isEqualTo(-1);
    }

    @Test
    void offsetsAreFoundInsideABatch() {
        Java.createTopic(node.bootstrap(), "inside", 1, Map.of("retention.ms", "-1"));
        TopicPartition partition = new TopicPartition("inside", 0);
        try (KafkaProducer<String, String> producer =
                Java.textProducer(node.bootstrap(), Map.of("compression.type", "zstd", "linger.ms", 200))) {
            for (long time = 1; time <= 10; time++) {
                producer.send(new ProducerRecord<>("inside", 0, time * 100, null, "at " + time));
            }
        }

        assertThat(offset(partition, OffsetSpec.forTimestamp(550))).isEqualTo(5);
        assertThat(offset(partition, OffsetSpec.maxTimestamp())).isEqualTo(9);
    }

    @Test
    void deletedRecordsAreGone() {
        Java.createTopic(node.bootstrap(), "shortened", 1, Map.of());
        TopicPartition partition = new TopicPartition("shortened", 0);
        Java.write(node.bootstrap(), "shortened", 0, Java.numbered("record", 20));

        long low = Java.get(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(7)))
                        .lowWatermarks()
                        .get(partition))
                .lowWatermark();

        assertThat(low).isEqualTo(7);
        assertThat(offset(partition, OffsetSpec.earliest())).isEqualTo(7);
        assertThat(Java.values(node.bootstrap(), "shortened", 0)).first().isEqualTo("record 7");
        assertThat(Java.failureOf(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(21)))
                        .all()))
                .isInstanceOf(OffsetOutOfRangeException.class);
        Java.get(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1)))
                .all());
        assertThat(offset(partition, OffsetSpec.earliest())).isEqualTo(20);
    }

    @Test
    void recordsAreDeletedByRetentionTime() {
        Map<String, String> configs = Map.of("retention.ms", "1000", "segment.ms", "500");
        Java.createTopic(node.bootstrap(), "fleeting", 1, configs);
        TopicPartition partition = new TopicPartition("fleeting", 0);
        Java.write(node.bootstrap(), "fleeting", 0, Java.numbered("old", 10));

        Java.await("the old ones are gone", () -> offset(partition, OffsetSpec.earliest()) == 10);

        Java.write(node.bootstrap(), "fleeting", 0, List.of("fresh"));
        assertThat(offset(partition, OffsetSpec.latest())).isEqualTo(11);
    }

    @Test
    void recordsAreDeletedByRetentionSize() {
        Map<String, String> configs = Map.of("retention.bytes", "50000", "segment.bytes", "20000");
        Java.createTopic(node.bootstrap(), "fixed-size", 1, configs);
        TopicPartition partition = new TopicPartition("fixed-size", 0);
        Java.write(node.bootstrap(), "fixed-size", 0, java.util.Collections.nCopies(200, "x".repeat(1000)));

        Java.await("the first ones are gone", () -> offset(partition, OffsetSpec.earliest()) > 100);

        assertThat(offset(partition, OffsetSpec.earliest())).isLessThanOrEqualTo(160);
        assertThat(end("fixed-size")).isEqualTo(200);
    }

    // ---- steps

    private static ProduceRequestData unacknowledged(String topic) {
        MemoryRecords records = MemoryRecords.withRecords(Compression.NONE, new SimpleRecord("value".getBytes()));
        return new ProduceRequestData()
                .setAcks((short) 0)
                .setTimeoutMs(1000)
                .setTopicData(new TopicProduceDataCollection(List.of(new TopicProduceData()
                                .setName(topic)
                                .setPartitionData(List.of(new PartitionProduceData().setRecords(records))))
                        .iterator()));
    }

    private static Throwable failureOfWriting(String topic, long timestamp) {
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            return failureOf(producer.send(new ProducerRecord<>(topic, 0, timestamp, null, "value")));
        }
    }

    private static Throwable failureOf(java.util.concurrent.Future<?> sent) {
        try {
            sent.get(Duration.ofSeconds(60).toSeconds(), java.util.concurrent.TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException failure) {
            return failure.getCause();
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    private static long end(String topic) {
        return offset(new TopicPartition(topic, 0), OffsetSpec.latest());
    }

    private static long offset(TopicPartition partition, OffsetSpec spec) {
        return Java.get(admin.listOffsets(Map.of(partition, spec)).partitionResult(partition))
                .offset();
    }
}
