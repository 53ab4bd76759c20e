package io.felice.broker.partition;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.Turn;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.Records;
import io.felice.broker.engine.Device;
import io.felice.broker.engine.MountedEngine;
import io.felice.records.BatchBuilder;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppendingTest {
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

    @Test
    void offsetsAreAssignedInOrder() {
        LeaderPartition partition = bench.open(3);
        get(produce(partition, batch(10)));

        Appended second = get(produce(partition, batch(5)));

        assertThat(second).isEqualTo(new Appended(10, 14, -1, 0));
        assertThat(partition.logEndOffset()).isEqualTo(15);
        assertThat(partition.highWatermark()).isEqualTo(15);
    }

    @Test
    void batchesGetOffsetAndEpochAndAreOtherwiseUnchanged() {
        LeaderPartition partition = bench.open(3);
        RecordBatch sent = batch(10).values("v").at(0);
        ByteBuffer before = copy(sent.bytes());
        get(produce(partition, batch(4)));

        get(produce(partition, sent));

        RecordBatch stored = RecordBatch.at(read(partition, 4).get(0));
        assertThat(stored.baseOffset()).isEqualTo(4);
        assertThat(stored.leaderEpoch()).isEqualTo(3);
        assertThat(stored.bytes().slice(RecordBatch.MAGIC_AT, stored.sizeInBytes() - RecordBatch.MAGIC_AT))
                .isEqualTo(before.slice(RecordBatch.MAGIC_AT, before.limit() - RecordBatch.MAGIC_AT));
    }

    @Test
    void oneSettleAtTheEndOfTheTurnAnswersAllAppends() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        int settlesBefore = bench.engine.settles.get();
        List<Runnable> atEnd = new ArrayList<>();
        Turn turn = atEnd::add;
        List<CompletionStage<Appended>> answers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            answers.add(partition.append(batch(1).at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(1), turn));
        }
        assertThat(answers).noneMatch(answer -> answer.toCompletableFuture().isDone());
        assertThat(partition.highWatermark()).isEqualTo(1);

        atEnd.forEach(Runnable::run);

        assertThat(answers).allMatch(answer -> answer.toCompletableFuture().isDone());
        assertThat(partition.highWatermark()).isEqualTo(4);
        assertThat(bench.engine.settles.get()).isEqualTo(settlesBefore + 1);
    }

    @Test
    void aTurnThatRefusesAnActionDoesNotDelayTheAnswer() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        Turn full = action -> {
            throw new IllegalStateException("said by a test");
        };

        for (int i = 1; i <= 2; i++) {
            CompletionStage<Appended> answer =
                    partition.append(batch(1).at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(1), full);

            assertThat(answer.toCompletableFuture()).isDone();
            assertThat(get(answer).baseOffset()).isEqualTo(i);
        }
    }

    @Test
    void anErrorInAnAppendFailsTheAppendAndEndsTheLog() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        bench.engine.onAppend = () -> {
            throw new OutOfMemoryError("said by a test");
        };

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(partition, batch(1))));

        assertThat(bench.dead).containsExactly(partition.log());
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(partition, batch(1))));
        get(partition.log().close());
    }

    @Test
    void anErrorInASettleFailsTheAppendAndEndsTheLog() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        bench.engine.onSettle = () -> {
            throw new OutOfMemoryError("said by a test");
        };

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(partition, batch(1))));

        assertThat(partition.highWatermark()).isEqualTo(1);
        assertThat(bench.dead).containsExactly(partition.log());
        get(partition.log().close());
    }

    @Test
    void durabilityNoneDoesNotSettle() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "none").open(0);

        get(produce(partition, batch(1)));

        assertThat(bench.engine.settles).hasValue(0);
    }

    @Test
    void durabilityPowerAnswersAfterTheFlush() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(0);
        get(produce(partition, batch(1)));
        bench.engine.flushesAtOnce = false;
        CompletionStage<Appended> first = produce(partition, batch(1));
        CompletionStage<Appended> second = produce(partition, batch(1));
        assertThat(first.toCompletableFuture()).isNotDone();
        assertThat(partition.highWatermark()).isEqualTo(1);

        bench.engine.flushes.poll().complete(null);

        assertThat(get(first).baseOffset()).isEqualTo(1);
        assertThat(second.toCompletableFuture()).isNotDone();
        bench.engine.flushes.poll().complete(null);
        assertThat(get(second).baseOffset()).isEqualTo(2);
    }

    @Test
    void anAppendThatIsNotDurableInTimeIsAnsweredWithATimeout() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(0);
        get(produce(partition, batch(1)));
        bench.engine.flushesAtOnce = false;
        CompletionStage<Appended> late = produce(partition, batch(1));

        bench.nanos.addAndGet(Duration.ofSeconds(31).toNanos());
        partition.tick();

        refused(ErrorCode.REQUEST_TIMED_OUT, () -> get(late));
    }

    @Test
    void theBytesOfWrittenAndExpiredAppendsAreReleased() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(0);
        get(produce(partition, batch(1)));
        bench.engine.flushesAtOnce = false;
        ByteBuffer frame = copy(batch(1).at(0).bytes());
        WeakReference<ByteBuffer> bytes = new WeakReference<>(frame);
        CompletionStage<Appended> late = produce(partition, frame);
        WeakReference<CompletionStage<Appended>> append = new WeakReference<>(late);
        frame = null;
        isForgotten(bytes);
        assertThat(late.toCompletableFuture()).isNotDone();
        late = null;

        bench.nanos.addAndGet(Duration.ofSeconds(31).toNanos());
        partition.tick();

        isForgotten(append);
    }

    private static void isForgotten(WeakReference<?> reference) {
        eventually(() -> {
            System.gc();
            assertThat(reference.refersTo(null)).isTrue();
        });
    }

    /** Begins an append and returns when it hangs in the engine; later appends wait for it. */
    private CompletableFuture<CompletionStage<Appended>> produceThatHangs(
            LeaderPartition partition, CompletableFuture<Void> hanging) {
        bench.engine.onAppend = hanging::join;
        CompletableFuture<CompletionStage<Appended>> slow =
                CompletableFuture.supplyAsync(() -> produce(partition, batch(1)));
        eventually(() -> assertThat(hanging.getNumberOfDependents()).isEqualTo(1));
        return slow;
    }

    @Test
    void anAppendWhoseDeadlineHasPassedIsNotWritten() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        CompletableFuture<Void> hanging = new CompletableFuture<>();
        CompletableFuture<CompletionStage<Appended>> slow = produceThatHangs(partition, hanging);
        CompletionStage<Appended> behind = produce(partition, batch(1));

        bench.nanos.addAndGet(Duration.ofSeconds(31).toNanos());
        hanging.complete(null);

        refused(ErrorCode.REQUEST_TIMED_OUT, () -> get(behind));
        assertThat(get(slow.join()).baseOffset()).isEqualTo(1);
        assertThat(partition.logEndOffset()).isEqualTo(2);
    }

    @Test
    void aLateAppendWithASequenceIsWrittenAndItsDuplicateIsRecognised() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        CompletableFuture<Void> hanging = new CompletableFuture<>();
        CompletableFuture<CompletionStage<Appended>> slow = produceThatHangs(partition, hanging);
        CompletionStage<Appended> late = produce(partition, batch(1).producer(5, 0, 0));
        bench.nanos.addAndGet(Duration.ofSeconds(20).toNanos());
        CompletionStage<Appended> behind = produce(partition, batch(1).producer(5, 0, 1));

        bench.nanos.addAndGet(Duration.ofSeconds(11).toNanos());
        hanging.complete(null);

        assertThat(get(slow.join()).baseOffset()).isEqualTo(1);
        assertThat(get(behind).baseOffset()).isEqualTo(3);
        assertThat(get(late).baseOffset()).isEqualTo(2);
        assertThat(get(produce(partition, batch(1).producer(5, 0, 0))).baseOffset())
                .isEqualTo(2);
        assertThat(partition.logEndOffset()).isEqualTo(4);
    }

    @Test
    void anAppendWithTimeoutZeroIsWrittenIfItNeedNotWait() {
        LeaderPartition partition = bench.open(0);
        bench.engine.onAppend = () -> bench.nanos.addAndGet(1);
        get(produce(partition, batch(1)));

        CompletionStage<Appended> hurried =
                partition.append(batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, Duration.ZERO, Turn.IMMEDIATE);

        assertThat(get(hurried).baseOffset()).isEqualTo(1);
    }

    @Test
    void theCoordinatorAppendsSeveralBatchesAtOnce() {
        LeaderPartition partition = bench.open(0);
        ByteBuffer both = ByteBuffer.allocate(10_000);
        both.put(batch(2).at(0).bytes()).put(batch(3).at(0).bytes()).flip();

        Appended appended =
                get(partition.append(both, Acks.ALL, Origin.COORDINATOR, Duration.ofSeconds(1), Turn.IMMEDIATE));

        assertThat(appended).isEqualTo(new Appended(0, 4, -1, 0));
    }

    @Test
    void aClientMustSendExactlyOneBatch() {
        LeaderPartition partition = bench.open(0);
        ByteBuffer both = ByteBuffer.allocate(10_000);
        both.put(batch(2).at(0).bytes()).put(batch(3).at(0).bytes()).flip();

        refused(ErrorCode.INVALID_RECORD, () -> get(produce(partition, both)));
        refused(ErrorCode.INVALID_RECORD, () -> get(produce(partition, ByteBuffer.allocate(0))));
    }

    @Test
    void aWrongChecksumIsCorrupt() {
        LeaderPartition partition = bench.open(0);
        RecordBatch batch = batch(2).at(0);
        batch.bytes().put(RecordBatch.HEADER_BYTES + 3, (byte) 99);

        refused(ErrorCode.CORRUPT_MESSAGE, () -> get(produce(partition, batch)));
        assertThat(partition.logEndOffset()).isZero();
    }

    @Test
    void anOldFormatIsAnInvalidRecord() {
        LeaderPartition partition = bench.open(0);
        RecordBatch batch = batch(2).at(0);
        batch.bytes().put(RecordBatch.MAGIC_AT, (byte) 1);

        refused(ErrorCode.INVALID_RECORD, () -> get(produce(partition, batch)));
    }

    @Test
    void aBatchWhoseBaseOffsetIsNotZeroIsAnInvalidRecord() {
        LeaderPartition partition = bench.open(0);

        refused(ErrorCode.INVALID_RECORD, () -> get(produce(partition, batch(2).at(17))));
    }

    @Test
    void batchesAboveTheMessageOrSegmentLimitAreRefused() {
        LeaderPartition partition = bench.with(TopicConfig.MAX_MESSAGE_BYTES, 2_000)
                .with(TopicConfig.SEGMENT_BYTES, 1_000)
                .open(0);

        refused(ErrorCode.MESSAGE_TOO_LARGE, () -> get(produce(partition, batch(1).valueBytes(3_000))));
        refused(ErrorCode.RECORD_LIST_TOO_LARGE, () -> get(produce(partition, batch(1).valueBytes(1_500))));
    }

    @Test
    void clientsWriteNoControlOrTransactionalBatchesAndNoAppendTime() {
        LeaderPartition partition = bench.open(0);

        refused(ErrorCode.INVALID_RECORD, () -> get(produce(partition, withAttributes(0x20))));
        refused(ErrorCode.INVALID_TXN_STATE, () -> get(produce(partition, withAttributes(0x10))));
        refused(ErrorCode.INVALID_TIMESTAMP, () -> get(produce(partition, withAttributes(0x08))));
    }

    private static RecordBatch withAttributes(int attributes) {
        RecordBatch batch = batch(1).producer(5, 0, 0).at(0);
        ByteBuffer bytes = batch.bytes();
        bytes.putShort(RecordBatch.ATTRIBUTES_AT, (short) attributes);
        bytes.putInt(RecordBatch.CRC_AT, (int) io.felice.testkit.TestBatches.crcOf(bytes));
        return batch;
    }

    @Test
    void tooFewInSyncReplicasRefuseAcksAllOnly() {
        LeaderPartition partition =
                bench.with(TopicConfig.MIN_INSYNC_REPLICAS, 2).open(0);

        refused(ErrorCode.NOT_ENOUGH_REPLICAS, () -> get(produce(partition, batch(1))));

        CompletionStage<Appended> one = partition.append(
                batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, Duration.ofSeconds(1), Turn.IMMEDIATE);
        assertThat(get(one).baseOffset()).isZero();
    }

    @Test
    void logAppendTimeIsStampedUnderANewChecksum() {
        LeaderPartition partition =
                bench.with(TopicConfig.MESSAGE_TIMESTAMP_TYPE, "LogAppendTime").open(0);

        Appended appended = get(produce(partition, batch(3).timestamp(17)));

        RecordBatch stored = RecordBatch.at(read(partition, 0).get(0));
        assertThat(appended.logAppendTime()).isEqualTo(Bench.START_MS);
        assertThat(stored.isLogAppendTime()).isTrue();
        assertThat(stored.maxTimestamp()).isEqualTo(Bench.START_MS);
        assertThat(io.felice.records.Batches.crcOf(stored)).isEqualTo(stored.crc());
    }

    @Test
    void timestampsOutOfBoundsAreRefused() {
        LeaderPartition partition = bench.with(TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS, 1_000)
                .with(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS, 500)
                .open(0);
        long now = Bench.START_MS;

        refused(ErrorCode.INVALID_TIMESTAMP, () -> get(produce(partition, batch(1).timestamp(now - 1_001))));
        refused(ErrorCode.INVALID_TIMESTAMP, () -> get(produce(partition, batch(1).timestamp(now + 501))));
        assertThat(get(produce(partition, batch(1).timestamp(now - 1_000))).baseOffset())
                .isZero();
    }

    @Test
    void oneTooOldRecordInABatchIsRefused() {
        LeaderPartition partition =
                bench.with(TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS, 1_000).open(0);
        RecordBatch mixed = new BatchBuilder()
                .add(Bench.START_MS, null, new byte[1])
                .add(Bench.START_MS - 5_000, null, new byte[1])
                .build();

        refused(ErrorCode.INVALID_TIMESTAMP, () -> get(produce(partition, mixed)));
    }

    @Test
    void configurationChangesApplyFromTheNextAppend() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1).valueBytes(3_000)));

        partition.log().update(TopicConfig.with(java.util.Map.of(TopicConfig.MAX_MESSAGE_BYTES, "2000")));

        refused(ErrorCode.MESSAGE_TOO_LARGE, () -> get(produce(partition, batch(1).valueBytes(3_000))));
    }

    @Test
    void appendsToABlockingEngineRunOnItsThreads() {
        bench.engine.traits = EnumSet.complementOf(EnumSet.of(EngineTrait.APPENDS_WITHOUT_BLOCKING));
        bench.close();
        bench = reopenedWith(bench.engine.traits);
        LeaderPartition partition = bench.open(0);
        List<CompletionStage<Appended>> answers = new ArrayList<>();

        for (int i = 0; i < 100; i++) {
            answers.add(produce(partition, batch(1).producer(9, 0, i)));
        }

        for (int i = 0; i < 100; i++) {
            assertThat(get(answers.get(i)).baseOffset()).isEqualTo(i);
        }
        assertThat(bench.engine.appendedOn).allMatch(name -> name.startsWith("felice-storage-scripted"));
    }

    private Bench reopenedWith(Set<EngineTrait> traits) {
        Bench fresh = new Bench(directory) {
            @Override
            public MountedEngine mount() {
                engine.traits = traits;
                return super.mount();
            }
        };
        return fresh;
    }

    @Test
    void aSlowDeviceIsSettledOnTheEnginesThreadsUntilItIsFastAgain() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        bench.engine.onSettle = () -> bench.nanos.addAndGet(Device.LONG_NANOS);
        get(produce(partition, batch(1)));
        assertThat(bench.mounted.device().isSlow()).isFalse();
        get(produce(partition, batch(1)));
        assertThat(bench.mounted.device().isSlow()).isTrue();
        bench.engine.onSettle = () -> {};
        bench.engine.settledOn.clear();

        get(produce(partition, batch(1)));

        assertThat(bench.engine.settledOn).allMatch(name -> name.startsWith("felice-storage-scripted"));
        bench.nanos.addAndGet(Device.CALM_NANOS + 1);
        bench.engine.settledOn.clear();
        get(produce(partition, batch(1)));
        assertThat(bench.engine.settledOn)
                .containsExactly(Thread.currentThread().getName());
    }

    @Test
    void anAppendIsWrittenEvenIfSegmentsAgeFasterThanTheyAreRolled() {
        LeaderPartition partition = bench.with(TopicConfig.SEGMENT_MS, 5).open(0);
        bench.msPerLook = 10;
        get(produce(partition, batch(1)));

        Appended second = get(produce(partition, batch(1)));

        assertThat(second.baseOffset()).isEqualTo(1);
    }

    @Test
    void aSlowAppendMakesTheDeviceSlow() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        assertThat(bench.mounted.device().isSlow()).isFalse();
        bench.engine.onAppend = () -> bench.nanos.addAndGet(Device.VERY_LONG_NANOS);

        get(produce(partition, batch(1)));

        assertThat(bench.mounted.device().isSlow()).isTrue();
        bench.engine.appendedOn.clear();
        get(produce(partition, batch(1)));
        assertThat(bench.engine.appendedOn).allMatch(name -> name.startsWith("felice-storage-scripted"));
    }

    @Test
    void aSlowRollMakesTheDeviceSlow() {
        int size = batch(1).valueBytes(1_000).at(0).sizeInBytes();
        LeaderPartition partition =
                bench.with(TopicConfig.SEGMENT_BYTES, 3 * size).open(0);
        get(produce(partition, batch(1).valueBytes(1_000)));
        LeaderPartition again = bench.open(1);
        get(produce(again, batch(1).valueBytes(1_000)));
        get(produce(again, batch(1).valueBytes(1_000)));
        assertThat(bench.mounted.device().isSlow()).isFalse();
        bench.engine.onAppend = () -> bench.nanos.addAndGet(Device.VERY_LONG_NANOS);

        get(produce(again, batch(1).valueBytes(1_000)));

        assertThat(bench.mounted.device().isSlow()).isTrue();
    }

    @Test
    void aFailedLogFailsAllWaitingAppends() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(0);
        get(produce(partition, batch(1)));
        bench.engine.flushesAtOnce = false;
        CompletionStage<Appended> waiting = produce(partition, batch(1));
        bench.engine.failing.add(Bench.ID);

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(partition, batch(1))));

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(waiting));
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(partition.read(0, 100, ReadLimit.LOG_END)));
        bench.engine.failing.clear();
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(partition, batch(1))));
        assertThat(bench.dead).containsExactly(partition.log());
    }

    @Test
    void noAppendIsAcknowledgedAfterTheRoleEnded() {
        LeaderPartition partition =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(0);
        get(produce(partition, batch(1)));
        bench.engine.flushesAtOnce = false;
        CompletionStage<Appended> waiting = produce(partition, batch(1));

        partition.resign();
        bench.engine.flushes.poll().complete(null);

        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(waiting));
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(produce(partition, batch(1))));
    }

    @Test
    void closingAnswersAcceptedAppends() {
        LeaderPartition partition = bench.open(0);
        get(produce(partition, batch(1)));
        List<Runnable> atEnd = new ArrayList<>();
        CompletionStage<Appended> accepted =
                partition.append(batch(1).at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(1), atEnd::add);

        get(partition.log().close());

        assertThat(get(accepted).baseOffset()).isEqualTo(1);
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(produce(partition, batch(1))));
    }

    @Test
    void anOlderLeaseCannotAppend() {
        LeaderPartition old = bench.open(0);
        get(produce(old, batch(1)));
        LeaderPartition fresh = bench.open(1);

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(old, batch(1))));

        assertThat(get(produce(fresh, batch(1))).baseOffset()).isEqualTo(1);
    }

    @Test
    void manyThreadsAppendWithoutGapsOrDuplicates() throws InterruptedException {
        LeaderPartition partition = bench.open(0);
        int threads = 8;
        int each = 500;
        List<CompletionStage<Appended>> answers = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> writers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            Thread writer = new Thread(() -> {
                for (int i = 0; i < each; i++) {
                    answers.add(produce(partition, batch(1)));
                }
            });
            writers.add(writer);
            writer.start();
        }
        for (Thread writer : writers) {
            writer.join();
        }

        List<Long> offsets = answers.stream()
                .map(answer -> get(answer).baseOffset())
                .sorted()
                .toList();

        assertThat(offsets)
                .hasSize(threads * each)
                .doesNotHaveDuplicates()
                .startsWith(0L)
                .endsWith(threads * each - 1L);
    }

    private static List<ByteBuffer> read(LeaderPartition partition, long from) {
        try (Records records = get(partition.read(from, 1 << 20, ReadLimit.LOG_END))) {
            return ((Records.InMemory) records).buffers();
        }
    }

    private static ByteBuffer copy(ByteBuffer bytes) {
        return ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
    }
}
