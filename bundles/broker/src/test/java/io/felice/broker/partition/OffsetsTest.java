package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.Partition.TimestampedOffset;
import io.felice.records.BatchBuilder;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OffsetsTest {
    @TempDir
    Path directory;

    private Bench bench;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private static Optional<TimestampedOffset> at(LeaderPartition partition, long timestamp) {
        return get(partition.offsetFor(timestamp, ReadLimit.HIGH_WATERMARK));
    }

    private static BatchBuilder record(BatchBuilder batch, long timestamp) {
        return batch.add(timestamp, null, new byte[10]);
    }

    @Test
    void anOffsetIsFoundByTheTimestampOfItsRecord() {
        LeaderPartition partition = bench.open(3);
        get(produce(partition, record(record(new BatchBuilder(), 100), 200).build()));
        get(produce(partition, record(record(new BatchBuilder(), 300), 150).build()));

        assertThat(at(partition, 0)).contains(new TimestampedOffset(0, 100, 3));
        assertThat(at(partition, 101)).contains(new TimestampedOffset(1, 200, 3));
        assertThat(at(partition, 201)).contains(new TimestampedOffset(2, 300, 3));
        assertThat(at(partition, 301)).isEmpty();
    }

    @Test
    void recordsBelowTheStartAreNotFound() {
        LeaderPartition partition = bench.open(0);
        get(produce(
                partition,
                record(record(record(new BatchBuilder(), 100), 200), 150).build()));

        get(partition.deleteRecords(2));

        assertThat(at(partition, 100)).contains(new TimestampedOffset(2, 150, 0));
    }

    @Test
    void theRecordWithTheMaxTimestampIsFoundInOlderSegments() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 300).open(0);
        get(produce(partition, record(record(new BatchBuilder(), 100), 900).build()));
        for (int i = 0; i < 20; i++) {
            get(produce(
                    partition, record(record(new BatchBuilder(), 200 + i), 900).build()));
            get(produce(partition, record(new BatchBuilder(), 300 + i).build()));
        }

        assertThat(get(partition.offsetOfMaxTimestamp())).contains(new TimestampedOffset(1, 900, 0));
    }

    @Test
    void theRecordWithTheMaxTimestampIsBelowTheHighWatermark() {
        int size = record(new BatchBuilder(), 900).build().sizeInBytes();
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 2 * size)
                .with(TopicConfig.STORAGE_DURABILITY, "power")
                .open(0);
        for (long time : new long[] {100, 900, 900, 800, 700}) {
            get(produce(partition, record(new BatchBuilder(), time).build()));
        }
        bench.engine.flushesAtOnce = false;
        for (long time : new long[] {2_000, 3_000, 2_500}) {
            produce(partition, record(new BatchBuilder(), time).build());
        }
        assertThat(partition.highWatermark()).isEqualTo(5);

        assertThat(get(partition.offsetOfMaxTimestamp())).contains(new TimestampedOffset(1, 900, 0));
    }

    @Test
    void theRecordWithTheMaxTimestampIsNotADeletedRecord() {
        LeaderPartition partition = bench.open(0);
        get(produce(
                partition,
                record(record(record(new BatchBuilder(), 900), 200), 150).build()));
        get(produce(partition, record(new BatchBuilder(), 180).build()));

        get(partition.deleteRecords(1));

        assertThat(get(partition.offsetOfMaxTimestamp())).contains(new TimestampedOffset(1, 200, 0));
    }

    @Test
    void anEmptyLogHasNoMaxTimestamp() {
        assertThat(get(bench.open(0).offsetOfMaxTimestamp())).isEmpty();
    }

    @Test
    void epochsEndWhereTheNextOneBegins() {
        LeaderPartition partition = bench.open(2);
        get(produce(partition, batch(10)));
        partition = bench.open(4);
        get(produce(partition, batch(10)));
        LeaderPartition latest = bench.open(7);

        assertThat(latest.endOfEpoch(1)).isEqualTo(new EpochEnd(1, 0));
        assertThat(latest.endOfEpoch(2)).isEqualTo(new EpochEnd(2, 10));
        assertThat(latest.endOfEpoch(3)).isEqualTo(new EpochEnd(2, 10));
        assertThat(latest.endOfEpoch(5)).isEqualTo(new EpochEnd(4, 20));
        assertThat(latest.endOfEpoch(7)).isEqualTo(new EpochEnd(7, 20));
        assertThat(latest.endOfEpoch(8)).isEqualTo(EpochEnd.UNKNOWN);
        assertThat(latest.epochOf(9)).isEqualTo(2);
        assertThat(latest.epochOf(10)).isEqualTo(4);
        assertThat(latest.epochOf(20)).isEqualTo(7);
    }

    @Test
    void epochsAreReadFromTheLogIfTheirFileIsLost() throws Exception {
        LeaderPartition partition = bench.open(2);
        get(produce(partition, batch(10)));
        partition = bench.open(4);
        get(produce(partition, batch(10)));
        java.nio.file.Files.writeString(
                directory.resolve(Bench.TOPIC_ID + "-0").resolve("leader-epoch-checkpoint"), "0\n5\n");

        LeaderPartition again = bench.open(5);

        assertThat(again.endOfEpoch(2)).isEqualTo(new EpochEnd(2, 10));
        assertThat(again.epochOf(15)).isEqualTo(4);
    }

    @Test
    void theEpochIsOnDiskBeforeItsFirstRecord() {
        LeaderPartition partition = bench.open(6);
        Path file = directory.resolve(Bench.TOPIC_ID + "-0").resolve("leader-epoch-checkpoint");
        assertThat(file).doesNotExist();

        get(produce(partition, batch(1)));

        assertThat(file).hasContent("0\n1\n6 0\n");
    }

    @Test
    void recordsAreDeletedUpToTheHighWatermark() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(10)));

        assertThat(get(partition.deleteRecords(4))).isEqualTo(4);
        assertThat(get(partition.deleteRecords(2))).isEqualTo(4);
        refused(ErrorCode.OFFSET_OUT_OF_RANGE, () -> get(partition.deleteRecords(11)));
        assertThat(get(partition.deleteRecords(-1))).isEqualTo(10);
        assertThat(partition.logStartOffset()).isEqualTo(10);
        refused(ErrorCode.OFFSET_OUT_OF_RANGE, () -> get(partition.read(3, 100, ReadLimit.LOG_END)));
        assertThat(get(produce(partition, batch(1))).baseOffset()).isEqualTo(10);
    }

    @Test
    void recordsOfACompactedTopicAreNotDeleted() {
        LeaderPartition partition =
                bench.with(TopicConfig.CLEANUP_POLICY, "compact").open(0);

        refused(ErrorCode.POLICY_VIOLATION, () -> get(partition.deleteRecords(0)));
    }

    @Test
    void aSegmentIsRolledByAgeBeforeTheNextAppend() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_MS, 1_000)
                .with(TopicConfig.RETENTION_MS, 10_000)
                .open(0);
        get(produce(partition, batch(1).timestamp(Bench.START_MS)));
        bench.pass(1_001);
        get(produce(partition, batch(1).timestamp(Bench.START_MS + 1_001)));
        bench.nowMs.set(Bench.START_MS + 10_500);

        partition.retain();

        Bench.eventually(() -> assertThat(partition.logStartOffset()).isEqualTo(1));
    }

    @Test
    void retentionBytesLimitsTheSizeOfTheLog() {
        int size = batch(1).valueBytes(1_000).at(0).sizeInBytes();
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, size)
                .with(TopicConfig.RETENTION_BYTES, 3 * size)
                .open(0);
        for (int i = 0; i < 10; i++) {
            get(produce(partition, batch(1).valueBytes(1_000).timestamp(Bench.START_MS)));
        }

        partition.retain();

        Bench.eventually(() -> assertThat(partition.logStartOffset()).isEqualTo(7));
        assertThat(partition.sizeInBytes()).isEqualTo(3L * size);
    }
}
