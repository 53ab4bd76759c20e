package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.records.BatchBuilder;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy in another engine that follows a log and takes its place. */
class LogCopyTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int SMALL = 300;

    @TempDir
    Path directory;

    private Bench bench;
    private LogStorageEngine files;
    private ScriptedEngine other;
    private MountedEngine target;
    private PartitionFiles copyFiles;
    private long lease = 1_000;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory.resolve("state"));
        files = new LogStorageEngine(directory.resolve("logs"), LogSettings.DEFAULT);
        other = new ScriptedEngine((StorageEngine) files);
        target = OfferedEngine.mounted("other", other, 2, bench.nanos::get);
        copyFiles = new PartitionFiles(directory.resolve("copy"));
    }

    @AfterEach
    void tearDown() {
        bench.close();
        target.close();
        files.close();
    }

    private OpenedLog opened(LogId id) {
        return new LogOpening(bench.environment, bench.producerLimits, bench.compaction)
                .open(
                        target,
                        copyFiles,
                        id,
                        ++lease,
                        TopicConfig.with(bench.config),
                        0,
                        () -> {},
                        (died, cause) -> bench.dead.add(died));
    }

    private LogCopy copyOf(LeaderPartition partition) {
        return new LogCopy(partition.log(), opened(Bench.ID), Bench.state(partition.leaderEpoch()), bench.nanos::get);
    }

    private static void catchUp(LogCopy copy) {
        do {
            copy.step(SMALL);
        } while (!copy.isCaughtUp());
    }

    private static void takeOver(LogCopy copy) {
        get(copy.takeOver(() -> {}, PATIENCE));
    }

    private LeaderPartition reopened(LeaderPartition partition) {
        get(partition.log().close());
        LeaderPartition again =
                opened(Bench.ID).lead(Bench.state(partition.leaderEpoch() + 1), bench.admission, new AloneHost());
        return again;
    }

    private static List<String> batches(LeaderPartition partition) {
        return KeyedHistory.batches(partition, partition.logStartOffset()).stream()
                .map(batch -> batch.baseOffset() + "-" + batch.lastOffset() + " " + batch.crc())
                .toList();
    }

    @Test
    void aRandomCompactedLogHasTheSameLatestRecordsAfterItWasCopied() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("LogCopyTest felice.seed=" + seed);
        Random random = new Random(seed);
        bench.with(TopicConfig.CLEANUP_POLICY, "compact")
                .with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0)
                .with(TopicConfig.SEGMENT_BYTES, 1_500);
        LeaderPartition partition = bench.open(0);
        KeyedHistory history = new KeyedHistory(random);
        for (int i = 0; i < 30; i++) {
            history.write(partition, bench.nowMs.get());
        }
        LogCopy copy = copyOf(partition);
        for (int step = 0; step < 150; step++) {
            switch (random.nextInt(6)) {
                case 0, 1 -> history.write(partition, bench.nowMs.get());
                case 2 -> compact(partition);
                case 3 -> bench.pass(random.nextInt(KeyedHistory.DAY_MS));
                case 4 -> {
                    if (random.nextInt(5) == 0) {
                        copy.close();
                        copy = copyOf(partition);
                    }
                }
                default -> copy.step(SMALL);
            }
        }
        catchUp(copy);
        history.write(partition, bench.nowMs.get());

        takeOver(copy);

        assertThat(partition.log()).isSameAs(copy.log());
        history.check(partition, bench.nowMs.get());
        assertThat(partition.logEndOffset()).isEqualTo(history.end());
        history.write(partition, bench.nowMs.get());
        compact(partition);
        history.check(partition, bench.nowMs.get());
        LeaderPartition again = reopened(partition);
        history.check(again, bench.nowMs.get());
        assertThat(again.logEndOffset()).isEqualTo(history.end());
    }

    private static void compact(LeaderPartition partition) {
        Compaction compaction = partition.log().compaction();
        compaction.look().ifPresent(compaction::run);
    }

    @Test
    void aRandomLogHasTheSameBatchesStartAndProducersAfterItWasCopied() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("LogCopyTest felice.seed=" + seed);
        Random random = new Random(seed);
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_BYTES, 2_000).open(0);
        Map<Integer, Integer> sequences = new HashMap<>();
        Map<Integer, Long> lastOffsets = new HashMap<>();
        Map<Integer, Integer> lastCounts = new HashMap<>();
        LogCopy copy = null;
        for (int step = 0; step < 200; step++) {
            switch (random.nextInt(8)) {
                case 0 -> {
                    long end = partition.highWatermark();
                    long start = partition.logStartOffset();
                    get(partition.deleteRecords(start + random.nextInt((int) (end - start) / 2 + 1)));
                }
                case 1, 2, 3 -> {
                    copy = copy == null ? copyOf(partition) : copy;
                    copy.step(SMALL);
                }
                case 4 -> {
                    if (copy != null && random.nextInt(4) == 0) {
                        copy.close();
                        copy = null;
                    }
                }
                default -> {
                    int producer = random.nextInt(6);
                    int count = 1 + random.nextInt(4);
                    int sequence = sequences.getOrDefault(producer, 0);
                    lastOffsets.put(
                            producer,
                            get(produce(partition, batch(count).producer(producer, 0, sequence)))
                                    .baseOffset());
                    lastCounts.put(producer, count);
                    sequences.put(producer, sequence + count);
                }
            }
        }
        copy = copy == null ? copyOf(partition) : copy;
        catchUp(copy);
        get(partition.deleteRecords(partition.logStartOffset() + 1));
        List<String> before = batches(partition);
        long start = partition.logStartOffset();
        long end = partition.logEndOffset();

        takeOver(copy);

        assertThat(partition.logStartOffset()).isEqualTo(start);
        assertThat(partition.logEndOffset()).isEqualTo(end);
        assertThat(partition.highWatermark()).isEqualTo(end);
        assertThat(batches(partition)).isEqualTo(before);
        LeaderPartition again = reopened(partition);
        assertThat(batches(again)).isEqualTo(before);
        lastOffsets.forEach((producer, offset) -> {
            int count = lastCounts.get(producer);
            int sequence = sequences.get(producer) - count;
            assertThat(get(produce(again, batch(count).producer(producer, 0, sequence)))
                            .baseOffset())
                    .as("a duplicate of producer %d", producer)
                    .isEqualTo(offset);
        });
        assertThat(get(produce(again, batch(1))).baseOffset()).isEqualTo(end);
    }

    @Test
    void aCopyEndsWhereItsSourceEndsThoughItsLastBatchesWereCompactedAway() {
        LeaderPartition partition = bench.open(0);
        get(produce(
                partition,
                new BatchBuilder()
                        .add(bench.nowMs.get(), null, "without a key".getBytes(UTF_8))
                        .add(bench.nowMs.get(), null, "without a key".getBytes(UTF_8))
                        .build()));
        bench.with(TopicConfig.CLEANUP_POLICY, "compact").with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0);
        partition.log().update(TopicConfig.with(bench.config));
        get(partition.log().writer().executeAlone(() -> {
            partition.log().engineLog().roll();
            return null;
        }));
        compact(partition);
        assertThat(KeyedHistory.batches(partition, 0)).isEmpty();
        LogCopy copy = copyOf(partition);
        catchUp(copy);

        takeOver(copy);

        assertThat(partition.logEndOffset()).isEqualTo(2);
        assertThat(reopened(partition).logEndOffset()).isEqualTo(2);
    }

    /** The copy has the old record, and the source has neither the record nor the tombstone any more. */
    @Test
    void aDeletedKeyDoesNotComeBackInACopyThatIsSlow() {
        LeaderPartition partition = bench.with(TopicConfig.CLEANUP_POLICY, "compact")
                .with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO, 0)
                .with(TopicConfig.SEGMENT_BYTES, 100)
                .open(0);
        put(partition, "a", "v");
        put(partition, "b", "v");
        LogCopy copy = copyOf(partition);
        copy.step(1);
        put(partition, "a", null);
        put(partition, "end", "v");
        for (int run = 0; run < 3; run++) {
            compact(partition);
            bench.pass(3L * KeyedHistory.DAY_MS);
        }
        put(partition, "end", "w");
        compact(partition);
        catchUp(copy);

        takeOver(copy);

        assertThat(KeyedHistory.replay(KeyedHistory.records(partition, 0))).containsOnlyKeys("b", "end");
    }

    private void put(LeaderPartition partition, String key, String value) {
        get(produce(
                partition,
                new BatchBuilder()
                        .add(bench.nowMs.get(), key.getBytes(UTF_8), value == null ? null : value.getBytes(UTF_8))
                        .build()));
    }

    @Test
    void aCopyFollowsASourceThatLostItsEnd() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(5)));
        get(produce(partition, batch(5)));
        LogCopy copy = copyOf(partition);
        catchUp(copy);
        copy.close();
        partition.resign();
        OpenedLog log = partition.log();
        FollowerPartition follower = get(log.become(() -> log.follow(Bench.state(1))));
        get(follower.truncate(new io.felice.api.partition.Partition.EpochEnd(0, 5)));
        follower.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("said by a test"));
        LeaderPartition next = get(log.become(() -> log.lead(Bench.state(2), bench.admission, new AloneHost())));
        get(produce(next, batch(1).values("another")));
        get(produce(next, batch(8).values("another")));
        List<String> wanted = batches(next);

        LogCopy again = copyOf(next);
        catchUp(again);
        takeOver(again);

        assertThat(batches(next)).isEqualTo(wanted);
        assertThat(next.epochOf(4)).isZero();
        assertThat(next.epochOf(5)).isEqualTo(2);
    }

    @Test
    void appendsThatWaitForTheSwitchAreInTheCopyInOrder() throws Exception {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        LogCopy copy = copyOf(partition);
        catchUp(copy);
        CountDownLatch deciding = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);

        CompletionStage<Void> taken = copy.takeOver(
                () -> {
                    deciding.countDown();
                    awaitLatch(go);
                },
                PATIENCE);
        deciding.await();
        List<CompletionStage<Long>> waiting = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            waiting.add(
                    produce(partition, batch(2).producer(7, 0, 2 * i)).thenApply(appended -> appended.baseOffset()));
        }
        assertThat(waiting).noneMatch(one -> one.toCompletableFuture().isDone());
        go.countDown();
        get(taken);

        for (int i = 0; i < 20; i++) {
            assertThat(get(waiting.get(i))).isEqualTo(1 + 2L * i);
        }
        assertThat(partition.log()).isSameAs(copy.log());
        assertThat(partition.isLeading()).isTrue();
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    @Test
    void theSourceGoesOnIfTheSwitchCannotBeWritten() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(3)));
        OpenedLog source = partition.log();
        LogCopy copy = copyOf(partition);
        catchUp(copy);

        refused(
                ErrorCode.KAFKA_STORAGE_ERROR,
                () -> get(copy.takeOver(
                        () -> {
                            throw ErrorCode.KAFKA_STORAGE_ERROR.because("said by a test");
                        },
                        PATIENCE)));

        assertThat(partition.log()).isSameAs(source);
        assertThat(get(produce(partition, batch(1))).baseOffset()).isEqualTo(3);
        catchUp(copy);
        takeOver(copy);
        assertThat(partition.log()).isSameAs(copy.log());
        assertThat(get(produce(partition, batch(1))).baseOffset()).isEqualTo(4);
    }

    @Test
    void theSourceGoesOnIfTheOtherEngineHangsDuringTheSwitch() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(3)));
        OpenedLog source = partition.log();
        LogCopy copy = copyOf(partition);
        catchUp(copy);
        get(produce(partition, batch(3)));
        CompletableFuture<Void> hanging = new CompletableFuture<>();
        other.onAppend = hanging::join;

        refused(ErrorCode.REQUEST_TIMED_OUT, () -> get(copy.takeOver(() -> {}, Duration.ofMillis(200))));

        assertThat(partition.log()).isSameAs(source);
        assertThat(get(produce(partition, batch(1))).baseOffset()).isEqualTo(6);
        hanging.complete(null);
        catchUp(copy);
        assertThat(partition.log()).isSameAs(source);
    }

    @Test
    void aParkedReaderAndAnAppendThatWaitsForItsAcknowledgementsDoNotNoticeTheSwitch() {
        bench.engine.settlesAtOnce = false;
        LeaderPartition partition = bench.open(0);
        CompletionStage<Long> unsettled = produce(partition, batch(2)).thenApply(appended -> appended.lastOffset());
        LogCopy copy = copyOf(partition);
        catchUp(copy);
        assertThat(unsettled.toCompletableFuture().isDone()).isFalse();

        takeOver(copy);

        assertThat(get(unsettled)).isEqualTo(1);
        assertThat(partition.highWatermark()).isEqualTo(2);
        List<RecordBatch> read = KeyedHistory.batches(partition, 0);
        assertThat(read).hasSize(1);
    }
}
