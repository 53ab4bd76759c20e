package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.KeyedHistory.DAY_MS;
import static io.felice.broker.partition.KeyedHistory.batches;
import static io.felice.broker.partition.KeyedHistory.records;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.Partition.TimestampedOffset;
import io.felice.api.storage.Records;
import io.felice.broker.engine.FreeSpace;
import io.felice.broker.partition.KeyedHistory.Found;
import io.felice.records.BatchBuilder;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A compacted partition on the memory engine; {@link CompactionOnFilesTest} runs the same tests on files. */
class CompactionTest {
    /** Smaller than two batches, so that each batch has a segment of its own. */
    private static final int ONE_BATCH = 120;

    @TempDir
    Path directory;

    Bench bench;

    @BeforeEach
    void setUp() {
        bench = makeBench();
        bench.with(TopicConfig.CLEANUP_POLICY, "compact").with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0);
    }

    Bench makeBench() {
        return new Bench(directory);
    }

    @AfterEach
    void tearDown() {
        bench.close();
    }

    private LeaderPartition oneBatchASegment() {
        return bench.with(TopicConfig.SEGMENT_BYTES, ONE_BATCH).open(0);
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    private void put(LeaderPartition partition, String key, String value) {
        get(produce(
                partition,
                new BatchBuilder()
                        .add(bench.nowMs.get(), bytes(key), bytes(value))
                        .build()));
    }

    private static void compact(LeaderPartition partition) {
        Compaction compaction = partition.log().compaction();
        compaction.look().ifPresent(compaction::run);
    }

    private static CompletableFuture<Void> compactInBackground(LeaderPartition partition) {
        return CompletableFuture.runAsync(() -> compact(partition));
    }

    private void rememberAtMost(int keys) {
        bench.brokerConfig.put(
                BrokerConfig.LOG_CLEANER_DEDUPE_BUFFER_SIZE, Long.toString(LatestOffsets.bytesFor(keys)));
    }

    private static CompactionProgress progress(LeaderPartition partition) {
        return partition.log().compaction().progress();
    }

    private static List<String> contents(LeaderPartition partition) {
        return records(partition, 0).stream().map(Found::toString).toList();
    }

    @Test
    void theLatestRecordOfEachKeyKeepsItsOffset() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "a", "c", "b", "a")) {
            put(partition, key, "v");
        }
        put(partition, "end", "v");
        long before = partition.sizeInBytes();

        compact(partition);

        assertThat(contents(partition)).containsExactly("3:c=v", "4:b=v", "5:a=v", "6:end=v");
        assertThat(partition.logStartOffset()).isZero();
        assertThat(partition.logEndOffset()).isEqualTo(7);
        assertThat(progress(partition).savedBytes()).isEqualTo(before - partition.sizeInBytes());
    }

    @Test
    void noRecordIsRemovedBeforeTheLaterRecordIsFlushed() {
        LeaderPartition partition = oneBatchASegment();
        CompletionStage<Void> compacted = compactUntilItFlushes(partition);

        assertThat(contents(partition)).hasSize(3);
        bench.engine.flushesAtOnce = true;
        bench.engine.flushes.forEach(flush -> flush.complete(null));
        get(compacted);
        assertThat(contents(partition)).containsExactly("1:a=v", "2:end=v");
    }

    private CompletionStage<Void> compactUntilItFlushes(LeaderPartition partition) {
        for (String key : List.of("a", "a", "end")) {
            put(partition, key, "v");
        }
        bench.engine.flushesAtOnce = false;
        CompletionStage<Void> compacted = compactInBackground(partition);
        eventually(() -> assertThat(bench.engine.flushes).isNotEmpty());
        return compacted;
    }

    @Test
    void aFailedFlushEndsTheLogAndRemovesNoRecord() {
        LeaderPartition partition = oneBatchASegment();
        CompletionStage<Void> compacted = compactUntilItFlushes(partition);

        bench.engine.flushes.remove().completeExceptionally(new IllegalStateException("the disk is gone"));

        get(compacted);
        assertThat(bench.dead).containsExactly(partition.log());
        assertThat(bench.engine.replaces.get()).isZero();
    }

    @Test
    void aReadFromARemovedOffsetBeginsWithTheNextRecord() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "a", "a", "b", "c")) {
            put(partition, key, "v");
        }

        compact(partition);

        assertThat(contents(partition)).containsExactly("3:a=v", "4:b=v", "5:c=v");
        for (long offset = 0; offset <= 3; offset++) {
            assertThat(records(partition, offset).get(0).offset()).isEqualTo(3);
        }
        assertThat(get(partition.offsetFor(0, ReadLimit.HIGH_WATERMARK)))
                .contains(new TimestampedOffset(3, Bench.START_MS, 0));
    }

    @Test
    void theActiveSegmentAndRecordsAboveTheHighWatermarkAreNotCompacted() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, ONE_BATCH)
                .with(TopicConfig.STORAGE_DURABILITY, "power")
                .open(0);
        put(partition, "a", "1");
        put(partition, "a", "2");
        bench.engine.flushesAtOnce = false;
        for (int i = 3; i <= 5; i++) {
            produce(
                    partition,
                    new BatchBuilder().add(1, bytes("a"), bytes("" + i)).build());
        }
        assertThat(partition.highWatermark()).isEqualTo(2);

        compact(partition);

        assertThat(contents(partition)).containsExactly("1:a=2");
        assertThat(partition.logEndOffset()).isEqualTo(5);
        assertThat(partition.log().compaction().cleanedTo()).isEqualTo(2);
    }

    @Test
    void recordsWithoutAKeyAreRemovedByTheFirstRun() {
        bench.with(TopicConfig.RECORD_VALIDATION, "header");
        LeaderPartition partition = oneBatchASegment();
        put(partition, null, "1");
        put(partition, null, null);
        put(partition, "a", "1");
        put(partition, "a", "2");
        put(partition, "end", "v");

        compact(partition);

        assertThat(contents(partition)).containsExactly("3:a=2", "4:end=v");
    }

    @Test
    void aBatchKeepsItsOffsetsAndItsEpochWhenRecordsAreRemoved() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 200).open(3);
        get(produce(
                partition,
                new BatchBuilder()
                        .add(10, bytes("a"), bytes("1"))
                        .add(20, bytes("b"), bytes("2"))
                        .add(30, bytes("a"), bytes("3"))
                        .add(40, bytes("c"), bytes("4"))
                        .build()));
        put(partition, "c", "5".repeat(60));
        put(partition, "end", "6".repeat(60));

        compact(partition);

        RecordBatch first = batches(partition, 0).get(0);
        assertThat(first.baseOffset()).isZero();
        assertThat(first.lastOffset()).isEqualTo(3);
        assertThat(first.leaderEpoch()).isEqualTo(3);
        assertThat(first.recordCount()).isEqualTo(2);
        assertThat(records(partition, 0).subList(0, 2))
                .containsExactly(new Found(1, 20, "b", "2"), new Found(2, 30, "a", "3"));
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void compressedBatchesStayCompressed(CompressionType codec) {
        LeaderPartition partition =
                bench.with(TopicConfig.SEGMENT_BYTES, 10_000).open(0);
        for (int i = 0; i < 4; i++) {
            SimpleRecord[] records = new SimpleRecord[100];
            for (int key = 0; key < records.length; key++) {
                records[key] = new SimpleRecord(key, bytes("key-" + key % (50 + i)), bytes(i + "v".repeat(40)));
            }
            get(produce(
                    partition,
                    MemoryRecords.withRecords(Compression.of(codec).build(), records)
                            .buffer()));
        }
        partition = reopenedWithSegmentOf(1_000, partition);
        put(partition, "end", "v".repeat(900));
        int before = records(partition, 0).size();

        compact(partition);

        assertThat(before).isEqualTo(401);
        assertThat(records(partition, 0)).hasSizeLessThan(200).hasSizeGreaterThan(53);
        assertThat(batches(partition, 0).get(0).codec()).isEqualTo(codec.id);
    }

    private LeaderPartition reopenedWithSegmentOf(int bytes, LeaderPartition open) {
        get(open.log().close());
        return bench.with(TopicConfig.SEGMENT_BYTES, bytes).open(open.leaderEpoch() + 1);
    }

    @Test
    void aTombstoneStaysForDeleteRetentionMsAfterTheFirstRunThatReadIt() {
        LeaderPartition partition = oneBatchASegment();
        put(partition, "a", "1");
        put(partition, "a", null);
        put(partition, "b", "1");
        bench.pass(30L * DAY_MS);

        compact(partition);
        assertThat(contents(partition)).containsExactly("1:a=null", "2:b=1");

        bench.pass(DAY_MS - 1);
        put(partition, "c", "1");
        compact(partition);
        assertThat(contents(partition)).containsExactly("1:a=null", "2:b=1", "3:c=1");

        bench.pass(1);
        put(partition, "d", "1");
        compact(partition);
        assertThat(contents(partition)).containsExactly("2:b=1", "3:c=1", "4:d=1");
    }

    @Test
    void aTombstoneKeepsItsTimestampAndItsDeleteHorizonAfterARestart() {
        LeaderPartition partition = oneBatchASegment();
        put(partition, "a", null);
        put(partition, "b", "1");
        compact(partition);
        bench.pass(DAY_MS);

        partition = reopenedWithSegmentOf(ONE_BATCH, partition);
        assertThat(records(partition, 0)).contains(new Found(0, Bench.START_MS, "a", null));
        put(partition, "c", "1");
        compact(partition);

        assertThat(contents(partition)).containsExactly("1:b=1", "2:c=1");
    }

    @Test
    void recordsYoungerThanMinCompactionLagAreNotCompacted() {
        LeaderPartition partition = bench.with(TopicConfig.MIN_COMPACTION_LAG_MS, 1_000)
                .with(TopicConfig.SEGMENT_BYTES, ONE_BATCH)
                .open(0);
        put(partition, "a", "1");
        put(partition, "a", "2");
        bench.pass(600);
        put(partition, "a", "3");
        put(partition, "end", "v");

        bench.pass(300);
        compact(partition);
        assertThat(contents(partition)).hasSize(4);

        bench.pass(200);
        compact(partition);
        assertThat(contents(partition)).containsExactly("1:a=2", "2:a=3", "3:end=v");
    }

    @Test
    void aRunWaitsForTheMinimumDirtyRatioOrTheMaximumLag() {
        LeaderPartition partition = oneBatchASegment();
        for (int i = 0; i < 10; i++) {
            put(partition, "key" + i, "v");
        }
        put(partition, "key0", "w");
        compact(partition);
        set(partition, TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0.5);
        put(partition, "key1", "w");
        put(partition, "key2", "w");

        compact(partition);
        assertThat(contents(partition)).contains("1:key1=v");

        set(partition, TopicConfig.MAX_COMPACTION_LAG_MS, 5_000);
        compact(partition);
        assertThat(contents(partition)).contains("1:key1=v");

        bench.pass(5_001);
        compact(partition);
        assertThat(contents(partition)).doesNotContain("1:key1=v").contains("11:key1=w");
    }

    private void set(LeaderPartition partition, String key, Object value) {
        bench.with(key, value);
        partition.log().update(TopicConfig.with(bench.config));
    }

    @Test
    void onlyATopicWithCleanupPolicyCompactIsCompacted() {
        LeaderPartition partition = bench.with(TopicConfig.CLEANUP_POLICY, "delete")
                .with(TopicConfig.SEGMENT_BYTES, ONE_BATCH)
                .open(0);
        put(partition, "a", "1");
        put(partition, "a", "2");
        put(partition, "end", "v");

        compact(partition);
        assertThat(contents(partition)).hasSize(3);

        set(partition, TopicConfig.CLEANUP_POLICY, "compact");
        compact(partition);
        assertThat(contents(partition)).containsExactly("1:a=2", "2:end=v");
    }

    @Test
    void aCompactedTopicRollsItsActiveSegmentBeforeMaxCompactionLag() {
        TopicConfig config = TopicConfig.with(
                Map.of(TopicConfig.CLEANUP_POLICY, "compact", TopicConfig.MAX_COMPACTION_LAG_MS, "5000"));

        assertThat(TopicRules.of(config).segmentMs()).isEqualTo(5_000);
    }

    @Test
    void moreKeysThanTheLimitAreCompactedInSeveralRuns() {
        LeaderPartition partition = oneBatchASegment();
        for (int round = 0; round < 2; round++) {
            for (int key = 0; key < 10; key++) {
                put(partition, "key" + key, "v" + round);
            }
        }
        put(partition, "end", "v");

        rememberAtMost(3);
        for (int run = 0; run < 7; run++) {
            compact(partition);
            assertThat(records(partition, 10)).hasSize(11);
        }

        assertThat(records(partition, 0)).hasSize(11);
    }

    @Test
    void oneBatchWithMoreKeysThanTheLimitDoesNotStopCompaction() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 1_000).open(0);
        BatchBuilder many = new BatchBuilder();
        for (int key = 0; key < 40; key++) {
            many.add(1, bytes("key" + key % 20), bytes("v"));
        }
        get(produce(partition, many.build()));
        put(partition, "end", "v".repeat(900));

        rememberAtMost(3);
        for (int run = 0; run < 20; run++) {
            compact(partition);
        }

        assertThat(records(partition, 0)).hasSize(21);
        assertThat(records(partition, 0).get(0).offset()).isEqualTo(20);
    }

    @Test
    void theSequenceOfAProducerSurvivesTheRemovalOfItsRecords() {
        LeaderPartition partition = oneBatchASegment();
        for (int sequence = 0; sequence < 3; sequence++) {
            get(produce(
                    partition,
                    new BatchBuilder(77, (short) 1, sequence)
                            .add(1, bytes("a"), bytes("v"))
                            .build()));
        }
        put(partition, "a", "new");
        put(partition, "end", "v");

        compact(partition);

        assertThat(contents(partition)).containsExactly("3:a=new", "4:end=v");
        RecordBatch header = batches(partition, 0).get(0);
        assertThat(header.baseOffset()).isEqualTo(2);
        assertThat(header.recordCount()).isZero();
        assertThat(header.producerId()).isEqualTo(77);
        assertThat(header.lastSequence()).isEqualTo(2);
        assertThat(get(partition.offsetOfMaxTimestamp()).orElseThrow().offset()).isEqualTo(3);
    }

    @Test
    void segmentsThatBecameSmallAreMerged() {
        LeaderPartition partition = oneBatchASegment();
        for (int i = 0; i < 50; i++) {
            put(partition, "key" + i % 3, "v");
        }
        put(partition, "end", "v");
        int before = segments(partition);

        set(partition, TopicConfig.SEGMENT_BYTES, 10 * ONE_BATCH);
        compact(partition);

        assertThat(before).isEqualTo(51);
        assertThat(segments(partition)).isEqualTo(2);
        assertThat(contents(partition)).containsExactly("47:key2=v", "48:key0=v", "49:key1=v", "50:end=v");
    }

    @Test
    void aMergedSegmentIsNoLargerThanASegmentMayBe() {
        LeaderPartition partition = oneBatchASegment();
        for (int i = 0; i < 40; i++) {
            put(partition, "key" + i, "v");
        }
        put(partition, "end", "v");
        set(partition, TopicConfig.SEGMENT_BYTES, 10 * ONE_BATCH);

        compact(partition);

        assertThat(contents(partition)).hasSize(41);
        assertThat(partition.log().engineLog().segments())
                .hasSizeBetween(4, 6)
                .allSatisfy(segment -> assertThat(segment.sizeInBytes()).isLessThanOrEqualTo(10 * ONE_BATCH));
    }

    private static int segments(LeaderPartition partition) {
        return partition.log().engineLog().segments().size();
    }

    @Test
    void howFarItGotIsKnownAfterARestart() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "a", "end")) {
            put(partition, key, "v");
        }
        compact(partition);
        int replaces = bench.engine.replaces.get();
        partition = reopenedWithSegmentOf(ONE_BATCH, partition);

        compact(partition);

        assertThat(partition.log().compaction().cleanedTo()).isEqualTo(3);
        assertThat(progress(partition).runs()).isZero();
        put(partition, "b", "w");
        put(partition, "end", "w");
        compact(partition);
        assertThat(progress(partition).runs()).isEqualTo(1);
        assertThat(contents(partition)).containsExactly("2:a=v", "3:end=v", "4:b=w", "5:end=w");
        assertThat(bench.engine.replaces.get()).isGreaterThan(replaces);
    }

    @Test
    void whatIsCleanAlreadyIsNotWrittenAgain() throws IOException {
        bench.with(TopicConfig.SEGMENT_BYTES, 2 * ONE_BATCH - 50);
        LeaderPartition partition = bench.open(0);
        for (int i = 0; i < 7; i++) {
            put(partition, "key" + i, "v".repeat(60));
        }
        compact(partition);
        bench.files.forgetCleanedTo();
        partition = reopenedWithSegmentOf(2 * ONE_BATCH - 50, partition);
        int replaces = bench.engine.replaces.get();

        compact(partition);

        assertThat(progress(partition).runs()).isEqualTo(1);
        assertThat(progress(partition).readBytes()).isPositive();
        assertThat(bench.engine.replaces).hasValue(replaces);
    }

    @Test
    void recordsThatWereTruncatedAndWrittenAnewAreCompacted() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "c", "d", "end")) {
            put(partition, key, "v");
        }
        compact(partition);
        assertThat(partition.log().compaction().cleanedTo()).isEqualTo(4);

        truncate(partition, 2);
        LeaderPartition again = get(
                partition.log().become(() -> partition.log().lead(Bench.state(9), bench.admission, new AloneHost())));
        for (String key : List.of("a", "a", "b", "end")) {
            put(again, key, "w");
        }
        compact(again);

        assertThat(contents(again)).containsExactly("3:a=w", "4:b=w", "5:end=w");
    }

    private void truncate(LeaderPartition partition, long to) {
        partition.resign();
        OpenedLog log = partition.log();
        PartitionState state = new PartitionState(List.of(0, 1), List.of(1), List.of(), List.of(), 1, 5, 5, false);
        FollowerPartition follower = get(log.become(() -> log.follow(state)));
        get(follower.truncate(new EpochEnd(0, to)));
        follower.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("said by a test"));
    }

    /** The run has removed no record of "a" on account of one that the log loses. */
    @Test
    void aRunEndsWhenTheLogIsTruncated() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "b", "c", "a", "end")) {
            put(partition, key, "v");
        }
        set(partition, TopicConfig.SEGMENT_BYTES, 10 * ONE_BATCH);
        bench.engine.onReplacing = once(() -> truncate(partition, 4));

        compact(partition);

        LeaderPartition again = get(
                partition.log().become(() -> partition.log().lead(Bench.state(9), bench.admission, new AloneHost())));
        put(again, "end", "w");
        assertThat(contents(again)).contains("0:a=v", "3:c=v", "4:end=w");
        assertThat(again.log().compaction().cleanedTo()).isZero();
        assertThat(progress(again).lastFailure()).isEmpty();
        compact(again);
        assertThat(contents(again)).containsExactly("0:a=v", "2:b=v", "3:c=v", "4:end=w");
    }

    /** No segment is being replaced at that moment, so that the engine cannot notice. */
    @Test
    void aRunEndsWhenTheLogIsTruncatedBeforeASegmentIsReplaced() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "b", "c", "a", "end")) {
            put(partition, key, "v");
        }
        bench.engine.flushesAtOnce = false;
        CompletableFuture<Void> compacted = compactInBackground(partition);
        eventually(() -> assertThat(bench.engine.flushes).isNotEmpty());

        truncate(partition, 4);
        bench.engine.flushesAtOnce = true;
        bench.engine.flushes.forEach(flush -> flush.complete(null));
        get(compacted);

        LeaderPartition again = get(
                partition.log().become(() -> partition.log().lead(Bench.state(9), bench.admission, new AloneHost())));
        put(again, "end", "w");
        assertThat(contents(again)).containsExactly("0:a=v", "1:b=v", "2:b=v", "3:c=v", "4:end=w");
        assertThat(bench.engine.replaces).hasValue(0);
    }

    private static Runnable once(Runnable action) {
        AtomicBoolean done = new AtomicBoolean();
        return () -> {
            if (done.compareAndSet(false, true)) {
                action.run();
            }
        };
    }

    @Test
    void aRunEndsWhenTheTopicIsNotToBeCompactedAnyMore() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "a", "b", "end")) {
            put(partition, key, "v");
        }
        set(partition, TopicConfig.SEGMENT_BYTES, 10 * ONE_BATCH);
        bench.engine.onReplacing = once(() -> set(partition, TopicConfig.CLEANUP_POLICY, "delete"));

        compact(partition);

        assertThat(contents(partition)).hasSize(4);
        assertThat(progress(partition).lastFailure()).isEmpty();
    }

    @Test
    void aRunGoesOnWithTheRestWhenRetentionRemovesTheOldestSegments() {
        LeaderPartition partition = bench.with(TopicConfig.CLEANUP_POLICY, "compact,delete")
                .with(TopicConfig.SEGMENT_BYTES, ONE_BATCH)
                .open(0);
        for (String key : List.of("a", "b", "c", "b", "c", "end")) {
            put(partition, key, "v");
        }
        set(partition, TopicConfig.SEGMENT_BYTES, 10 * ONE_BATCH);
        bench.engine.onReplacing = once(() -> get(partition.log().moveStartTo(2)));

        compact(partition);

        assertThat(partition.logStartOffset()).isEqualTo(2);
        assertThat(records(partition, 2)).extracting(Found::toString).containsExactly("3:b=v", "4:c=v", "5:end=v");
        assertThat(partition.log().compaction().cleanedTo()).isEqualTo(5);
        assertThat(progress(partition).runs()).isEqualTo(1);
    }

    /** A control record's key has the bytes of a number, which may be those of a record's key. */
    @Test
    void controlBatchesAreNotMatchedByKey() {
        LeaderPartition partition = oneBatchASegment();
        ByteBuffer marker = MemoryRecords.withEndTransactionMarker(
                        7, (short) 0, new EndTransactionMarker(ControlRecordType.COMMIT, 0))
                .buffer();
        byte[][] key = new byte[1][];
        RecordReader.readAll(marker, (offset, timestamp, bytes, value) -> {
            key[0] = new byte[bytes.remaining()];
            bytes.get(key[0]);
            return true;
        });
        get(produce(partition, new BatchBuilder().add(1, key[0], bytes("1")).build()));
        appendControl(partition, marker);
        get(produce(partition, new BatchBuilder().add(1, key[0], bytes("2")).build()));
        appendControl(partition, marker);
        put(partition, "end", "v");

        compact(partition);

        List<RecordBatch> left = batches(partition, 0);
        assertThat(left).extracting(RecordBatch::baseOffset).containsExactly(1L, 2L, 3L, 4L);
        assertThat(left).extracting(RecordBatch::isControl).containsExactly(true, false, true, false);
    }

    private static void appendControl(LeaderPartition partition, ByteBuffer bytes) {
        OpenedLog log = partition.log();
        RecordBatch batch = RecordBatch.at(
                ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip());
        get(log.writer().executeAlone(() -> {
            batch.stamp(log.endOffset(), 0);
            log.append(batch, Bench.START_MS);
            log.appended(batch.sizeInBytes(), batch.nextOffset());
            return null;
        }));
    }

    @Test
    void aSegmentThatCannotBeReplacedStaysAndTheLogStaysOpen() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "a", "b", "end")) {
            put(partition, key, "v");
        }
        List<String> before = contents(partition);
        bench.engine.onReplace = () -> {
            throw new IllegalStateException("no");
        };

        compact(partition);
        assertThat(contents(partition)).isEqualTo(before);
        put(partition, "a", "more");
        bench.engine.onReplace = () -> {};
        compact(partition);
        assertThat(contents(partition)).hasSize(6);

        bench.pass(Compaction.RETRY_MS);
        compact(partition);
        assertThat(contents(partition)).containsExactly("2:a=v", "3:b=v", "4:end=v", "5:a=more");
        assertThat(bench.dead).isEmpty();
    }

    @Test
    void noSegmentAfterAFailedSegmentIsRewritten() {
        LeaderPartition partition = oneBatchASegment();
        put(partition, "a", "1");
        put(partition, "b", "1");
        put(partition, "a", null);
        put(partition, "end", "v");
        set(partition, TopicConfig.DELETE_RETENTION_MS, 0);
        bench.engine.onReplace = () -> {
            throw new IllegalStateException("no");
        };

        compact(partition);

        assertThat(contents(partition)).contains("0:a=1", "2:a=null");
    }

    @Test
    void aLogThatFailsDuringARewriteIsReported() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "a", "end")) {
            put(partition, key, "v");
        }
        bench.engine.onReplace = () -> {
            bench.engine.failing.add(Bench.ID);
            throw new IllegalStateException("the disk is gone");
        };

        compact(partition);

        assertThat(bench.dead).containsExactly(partition.log());
    }

    @Test
    void aSegmentIsNotRewrittenWithoutFreeSpaceForASecondCopy() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "a", "end")) {
            put(partition, key, "v");
        }
        bench.engine.usable = FreeSpace.LEAST_BYTES;

        compact(partition);

        assertThat(contents(partition)).hasSize(3);
        assertThat(bench.engine.replaces).hasValue(0);
    }

    @Test
    void pinnedRecordsOfAReplacedSegmentStayReadable() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "a", "b", "end")) {
            put(partition, key, "v");
        }
        try (Records pinned = get(partition.read(0, 1, ReadLimit.HIGH_WATERMARK))) {
            compact(partition);

            RecordBatch batch = Batches.split(LogScan.buffersOf(pinned).get(0)).get(0);
            Batches.check(batch);
            assertThat(batch.baseOffset()).isZero();
        }
        assertThat(contents(partition)).hasSize(3);
    }

    @Test
    void appendsGoOnWhileANewSegmentIsWrittenAndWaitForItsCommit() throws Exception {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "a", "b", "end")) {
            put(partition, key, "v");
        }
        Pause writing = new Pause();
        Pause committing = new Pause();
        set(partition, TopicConfig.SEGMENT_BYTES, 10 * ONE_BATCH);
        bench.engine.onReplacing = once(writing);
        bench.engine.onReplace = once(committing);
        CompletableFuture<Void> compacted = compactInBackground(partition);

        writing.await();
        put(partition, "y", "v");
        writing.end();
        committing.await();
        var append = produce(
                partition, new BatchBuilder().add(1, bytes("z"), bytes("v")).build());
        assertThat(append.toCompletableFuture().isDone()).isFalse();
        committing.end();

        get(compacted);
        assertThat(get(append).baseOffset()).isEqualTo(5);
        assertThat(contents(partition)).containsExactly("1:a=v", "2:b=v", "3:end=v", "4:y=v", "5:z=v");
    }

    /** Holds a thread until the test goes on. */
    private static final class Pause implements Runnable {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch ended = new CountDownLatch(1);

        @Override
        public void run() {
            begun.countDown();
            try {
                ended.await();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }

        void await() throws InterruptedException {
            begun.await();
        }

        void end() {
            ended.countDown();
        }
    }

    @Test
    void anEmptySegmentDoesNotStopRetentionOfTheNext() {
        LeaderPartition partition = bench.with(TopicConfig.CLEANUP_POLICY, "compact,delete")
                .with(TopicConfig.RETENTION_MS, 1_000)
                .with(TopicConfig.SEGMENT_BYTES, ONE_BATCH)
                .open(0);
        for (String key : List.of("a", "a", "b")) {
            put(partition, key, "v");
        }
        compact(partition);
        bench.pass(2_000);
        put(partition, "end", "v");

        partition.retain();

        Bench.eventually(() -> assertThat(partition.logStartOffset()).isEqualTo(3));
    }

    @Test
    void aClosedLogIsNotCompacted() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "a", "end")) {
            put(partition, key, "v");
        }
        get(partition.log().close());

        compact(partition);

        assertThat(bench.engine.replaces).hasValue(0);
    }

    @Test
    void afterRandomRunsEveryMissingRecordHasALaterOneOfItsKeyOrIsAnOldTombstone() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println(getClass().getSimpleName() + " -Dfelice.seed=" + seed);
        Random random = new Random(seed);
        KeyedHistory history = new KeyedHistory(random);
        bench.with(TopicConfig.SEGMENT_BYTES, 1_500);
        LeaderPartition partition = bench.open(0);
        for (int step = 0; step < 400; step++) {
            bench.pass(random.nextInt(DAY_MS / 20));
            switch (random.nextInt(12)) {
                case 0 -> {
                    rememberAtMost(random.nextBoolean() ? 1 + random.nextInt(10) : 1_000);
                    compact(partition);
                    history.check(partition, bench.nowMs.get());
                }
                case 1 -> {
                    if (random.nextInt(4) == 0) {
                        partition = reopenedWithSegmentOf(800 + random.nextInt(1_000), partition);
                    }
                }
                default -> history.write(partition, bench.nowMs.get());
            }
        }
        rememberAtMost(1_000);
        compact(partition);
        history.check(partition, bench.nowMs.get());
        KeyedHistory.mustHaveEachKeyOnce(partition, partition.log().compaction().cleanedTo());
        assertThat(partition.log().compaction().cleanedTo()).isGreaterThan(partition.logEndOffset() - 300);
    }
}
