package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.Partition.TimestampedOffset;
import io.felice.api.storage.Records;
import io.felice.broker.engine.FreeSpace;
import io.felice.records.BatchBuilder;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
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

    private static final int DAY_MS = 86_400_000;

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

    record Found(long offset, long timestamp, String key, String value) {
        @Override
        public String toString() {
            return offset + ":" + key + "=" + value;
        }
    }

    private LeaderPartition oneBatchASegment() {
        return bench.with(TopicConfig.SEGMENT_BYTES, ONE_BATCH).open(0);
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    private static String text(ByteBuffer bytes) {
        return bytes == null ? null : UTF_8.decode(bytes).toString();
    }

    private void put(LeaderPartition partition, String key, String value) {
        get(produce(
                partition,
                new BatchBuilder()
                        .add(bench.nowMs.get(), bytes(key), bytes(value))
                        .build()));
    }

    private static void compact(LeaderPartition partition) {
        get(partition.log().compact());
    }

    private static List<RecordBatch> batches(LeaderPartition partition, long from) {
        List<RecordBatch> batches = new ArrayList<>();
        long next = from;
        while (true) {
            try (Records records = get(partition.read(next, 300, ReadLimit.HIGH_WATERMARK))) {
                if (records.sizeInBytes() == 0) {
                    return batches;
                }
                for (ByteBuffer bytes : LogScan.buffersOf(records)) {
                    for (RecordBatch batch : Batches.split(bytes)) {
                        Batches.checkCrc(batch);
                        assertThat(batch.lastOffset()).isGreaterThanOrEqualTo(next);
                        batches.add(batch);
                        next = batch.nextOffset();
                    }
                }
            }
        }
    }

    private static List<Found> records(LeaderPartition partition, long from) {
        List<Found> found = new ArrayList<>();
        for (RecordBatch batch : batches(partition, from)) {
            RecordReader.read(batch, (offset, timestamp, key, value) -> {
                if (offset >= from) {
                    found.add(new Found(offset, timestamp, text(key), text(value)));
                }
                return true;
            });
        }
        return found;
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
        assertThat(partition.log().compaction().savedBytes()).isEqualTo(before - partition.sizeInBytes());
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
        CompletionStage<Void> compacted = partition.log().compact();
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
        assertThat(bench.engine.replaces).hasValue(1);
    }

    @Test
    void recordsWithoutAKeyAreNotRemoved() {
        bench.with(TopicConfig.RECORD_VALIDATION, "header");
        LeaderPartition partition = oneBatchASegment();
        put(partition, null, "1");
        put(partition, null, null);
        put(partition, "a", "1");
        put(partition, "a", "2");
        put(partition, "end", "v");

        compact(partition);

        assertThat(contents(partition)).containsExactly("0:null=1", "1:null=null", "3:a=2", "4:end=v");
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
        compact(partition);

        assertThat(contents(partition)).containsExactly("1:b=1");
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

        for (int run = 0; run < 7; run++) {
            get(partition.log().compaction().run(3));
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

        for (int run = 0; run < 20; run++) {
            get(partition.log().compaction().run(3));
        }

        assertThat(records(partition, 0)).hasSize(21);
        assertThat(records(partition, 0).get(0).offset()).isEqualTo(20);
    }

    @Test
    void aLargeRemainingSegmentIsRewrittenWithoutKeepingItInMemory() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 2 * SegmentRewrite.AHEAD_BYTES)
                .open(0);
        byte[] value = new byte[100_000];
        int batches = (SegmentRewrite.AHEAD_BYTES + (4 << 20)) / (5 * value.length);
        for (int i = 0; i < batches; i++) {
            BatchBuilder batch = new BatchBuilder();
            for (int record = 0; record < 5; record++) {
                boolean again = i == batches - 1 && record < 3;
                batch.add(1, bytes(again ? (batches - 3) + "-" + record : i + "-" + record), value);
            }
            get(produce(partition, batch.build()));
        }
        partition = reopenedWithSegmentOf(value.length, partition);
        put(partition, "end", "v");
        long before = partition.sizeInBytes();

        compact(partition);

        assertThat(records(partition, 0)).hasSize(5 * batches - 3 + 1);
        assertThat(records(partition, 5L * (batches - 3)).get(0).key()).isEqualTo((batches - 3) + "-3");
        assertThat(partition.log().compaction().savedBytes())
                .isEqualTo(before - partition.sizeInBytes())
                .isGreaterThan(3 * value.length);
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
    void segmentsThatLoseNoRecordAreNotRewritten() {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "b", "a", "end")) {
            put(partition, key, "v");
        }
        compact(partition);
        int replaces = bench.engine.replaces.get();
        partition = reopenedWithSegmentOf(ONE_BATCH, partition);

        compact(partition);

        assertThat(partition.log().compaction().runs()).isEqualTo(1);
        assertThat(bench.engine.replaces).hasValue(replaces);
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
    void appendsWaitWhileASegmentIsReplaced() throws Exception {
        LeaderPartition partition = oneBatchASegment();
        for (String key : List.of("a", "a", "end")) {
            put(partition, key, "v");
        }
        CountDownLatch replacing = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        bench.engine.onReplace = () -> {
            replacing.countDown();
            try {
                goOn.await();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        };
        var compacted = partition.log().compact();
        replacing.await();

        var append = produce(
                partition, new BatchBuilder().add(1, bytes("z"), bytes("v")).build());

        assertThat(append.toCompletableFuture().isDone()).isFalse();
        goOn.countDown();
        get(compacted);
        assertThat(get(append).baseOffset()).isEqualTo(3);
        assertThat(contents(partition)).containsExactly("1:a=v", "2:end=v", "3:z=v");
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
        long seed = new Random().nextLong();
        System.out.println("CompactionTest seed " + seed);
        Random random = new Random(seed);
        bench.with(TopicConfig.SEGMENT_BYTES, 1_500).with(TopicConfig.RECORD_VALIDATION, "header");
        LeaderPartition partition = bench.open(0);
        Map<Long, Found> written = new TreeMap<>();
        for (int step = 0; step < 400; step++) {
            bench.pass(random.nextInt(DAY_MS / 20));
            switch (random.nextInt(12)) {
                case 0 -> {
                    get(partition.log().compaction().run(random.nextBoolean() ? 1 + random.nextInt(10) : 1_000));
                    check(partition, written);
                }
                case 1 -> {
                    if (random.nextInt(4) == 0) {
                        partition = reopenedWithSegmentOf(800 + random.nextInt(1_000), partition);
                    }
                }
                default -> write(partition, random, written);
            }
        }
        set(partition, TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0);
        get(partition.log().compaction().run(1_000));
        check(partition, written);
        long active = partition.logEndOffset() - 200;
        Map<String, Long> once = new HashMap<>();
        records(partition, 0).stream()
                .filter(record -> record.key() != null && record.offset() < active)
                .forEach(record -> assertThat(once.put(record.key(), record.offset()))
                        .as("seed %d: an earlier one of %s", seed, record)
                        .isNull());
    }

    private void write(LeaderPartition partition, Random random, Map<Long, Found> written) {
        SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(8)];
        for (int i = 0; i < records.length; i++) {
            byte[] key = random.nextInt(20) == 0 ? null : bytes("k" + random.nextInt(25));
            byte[] value = random.nextInt(5) == 0 ? null : bytes("v" + random.nextInt(1_000));
            records[i] = new SimpleRecord(bench.nowMs.get() + random.nextInt(100), key, value);
        }
        CompressionType[] codecs = CompressionType.values();
        ByteBuffer batch = MemoryRecords.withRecords(
                        RecordBatch.MAGIC,
                        0,
                        Compression.of(codecs[random.nextInt(codecs.length)]).build(),
                        TimestampType.CREATE_TIME,
                        records)
                .buffer();
        long offset = get(produce(partition, batch)).baseOffset();
        for (SimpleRecord record : records) {
            written.put(offset, new Found(offset, record.timestamp(), text(record.key()), text(record.value())));
            offset++;
        }
    }

    /** Records are as written; a missing one has a later one of its key, or was an old tombstone. */
    private void check(LeaderPartition partition, Map<Long, Found> written) {
        List<Found> left = records(partition, 0);
        assertThat(left).isSubsetOf(written.values());
        assertThat(left).extracting(Found::offset).isSorted();
        assertThat(replay(left)).isEqualTo(replay(written.values()));
        Map<String, Found> latest = new HashMap<>();
        written.values().forEach(record -> latest.put(record.key(), record));
        for (Found record : written.values()) {
            boolean mustStay = record.key() == null
                    || (latest.get(record.key()) == record
                            && (record.value() != null || bench.nowMs.get() - record.timestamp() < DAY_MS));
            assertThat(!mustStay || left.contains(record))
                    .as("%s stays", record)
                    .isTrue();
        }
        for (long offset = 0; offset < partition.logEndOffset(); offset += 97) {
            long from = offset;
            assertThat(records(partition, from))
                    .isEqualTo(left.stream()
                            .filter(record -> record.offset() >= from)
                            .toList());
        }
    }

    private static Map<String, String> replay(Iterable<Found> records) {
        Map<String, String> values = new HashMap<>();
        for (Found record : records) {
            if (record.key() != null && record.value() == null) {
                values.remove(record.key());
            } else if (record.key() != null) {
                values.put(record.key(), record.value());
            }
        }
        return values;
    }
}
