package io.felice.broker;

import static io.felice.broker.partition.Bench.ORDERS;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.storage.LogId;
import io.felice.broker.partition.AloneHost;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.LeaderPartition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FetchingTest {
    private static final int PLENTY = 1 << 20;
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final TopicPartition SECOND = new TopicPartition("orders", 1);

    @TempDir
    Path directory;

    private Bench bench;
    private Fetches fetches;
    private LeaderPartition partition;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        fetches = new Fetches(
                this::find, PreferredReplicas.NONE, LeaderThrottle.NONE, new FetchTimes(), bench.environment);
        partition = bench.open(5);
    }

    @AfterEach
    void tearDown() {
        fetches.close();
        bench.close();
    }

    private LeaderPartition find(TopicPartition wanted) {
        LeaderPartition found = bench.leader(wanted);
        if (found == null) {
            throw ErrorCode.LEADER_NOT_AVAILABLE.because("not open");
        }
        return found;
    }

    private CompletionStage<List<FetchedPartition>> fetch(int minBytes, int maxBytes, Duration wait, Want... wants) {
        return fetches.fetch(new FetchPlan(Arrays.asList(wants), minBytes, maxBytes, wait, false));
    }

    private static Want from(TopicPartition partition, long offset) {
        return new Want(partition, offset, PLENTY, -1, -1);
    }

    @Test
    void existingRecordsAreAnsweredAtOnce() {
        get(produce(partition, batch(10)));

        CompletionStage<List<FetchedPartition>> fetched = fetch(1, PLENTY, LONG, from(ORDERS, 0));

        assertThat(fetched.toCompletableFuture()).isDone();
        FetchedPartition one = get(fetched).get(0);
        assertThat(one.error()).isEqualTo(ErrorCode.NONE);
        assertThat(one.highWatermark()).isEqualTo(10);
        assertThat(one.lastStableOffset()).isEqualTo(10);
        assertThat(one.records().sizeInBytes()).isEqualTo(batch(10).at(0).sizeInBytes());
    }

    @Test
    void aFetchAtTheEndWaitsForTheNextAppend() {
        CompletionStage<List<FetchedPartition>> fetched = fetch(1, PLENTY, LONG, from(ORDERS, 0));
        assertThat(fetched.toCompletableFuture()).isNotDone();
        assertThat(fetches.parkedCount()).isEqualTo(1);

        get(produce(partition, batch(3)));

        assertThat(get(fetched).get(0).records().sizeInBytes()).isPositive();
        assertThat(fetches.parkedCount()).isZero();
    }

    @Test
    void aFetchWaitsUntilThereAreMinBytes() {
        int size = batch(1).at(0).sizeInBytes();
        CompletionStage<List<FetchedPartition>> fetched = fetch(3 * size, PLENTY, LONG, from(ORDERS, 0));

        get(produce(partition, batch(1)));
        get(produce(partition, batch(1)));
        assertThat(fetched.toCompletableFuture()).isNotDone();
        get(produce(partition, batch(1)));

        assertThat(get(fetched).get(0).records().sizeInBytes()).isEqualTo(3 * size);
    }

    @Test
    void aFetchDoesNotWaitIfItsPartitionLimitLeavesRecordsUnread() {
        get(produce(partition, batch(1)));
        get(produce(partition, batch(1)));
        int size = batch(1).at(0).sizeInBytes();

        List<FetchedPartition> fetched = get(fetch(2 * size, PLENTY, LONG, new Want(ORDERS, 0, 2 * size - 1, -1, -1)));

        assertThat(fetched.get(0).records().sizeInBytes()).isEqualTo(size);
    }

    @Test
    void aFetchIsAnsweredWithTheRecordsItHasAfterMaxWait() {
        get(produce(partition, batch(1)));

        List<FetchedPartition> fetched =
                get(fetch(PLENTY, PLENTY, Duration.ofMillis(50), from(ORDERS, 0), from(ORDERS, 1)));

        assertThat(fetched.get(0).records().sizeInBytes()).isPositive();
        assertThat(fetched.get(1).records().sizeInBytes()).isZero();
    }

    /** Appends to the second partition: one record that is flushed, then records that are not. */
    private void appendUnflushed(int records) {
        LogId id = new LogId(Bench.TOPIC_ID, 1, "orders");
        LeaderPartition careful =
                bench.with(TopicConfig.STORAGE_DURABILITY, "power").open(id, 0);
        get(produce(careful, batch(1)));
        bench.engine.flushesAtOnce = false;
        produce(careful, batch(records));
    }

    @Test
    void aConsumerGetsNoRecordsAboveTheHighWatermark() {
        appendUnflushed(1);

        CompletionStage<List<FetchedPartition>> fetched = fetch(1, PLENTY, LONG, from(SECOND, 1));

        assertThat(fetched.toCompletableFuture()).isNotDone();
        bench.engine.flushes.poll().complete(null);
        assertThat(get(fetched).get(0).records().sizeInBytes()).isPositive();
    }

    @Test
    void bytesThatWereAppendedBeforeTheFetchCountOnceTheyAreBelowTheHighWatermark() {
        appendUnflushed(10);

        CompletionStage<List<FetchedPartition>> fetched =
                fetch(batch(10).at(0).sizeInBytes(), PLENTY, LONG, from(SECOND, 1));

        assertThat(fetched.toCompletableFuture()).isNotDone();
        bench.engine.flushes.poll().complete(null);
        assertThat(get(fetched).get(0).records().sizeInBytes())
                .isEqualTo(batch(10).at(0).sizeInBytes());
    }

    @Test
    void onlyTheFirstPartitionWithRecordsMayExceedTheLimit() {
        LogId id = new LogId(Bench.TOPIC_ID, 1, "orders");
        LeaderPartition second = bench.open(id, 0);
        LeaderPartition third = bench.open(new LogId(Bench.TOPIC_ID, 2, "orders"), 0);
        get(produce(second, batch(1).valueBytes(1_000)));
        get(produce(third, batch(1).valueBytes(1_000)));

        List<FetchedPartition> fetched =
                get(fetch(1, 100, LONG, from(ORDERS, 0), from(SECOND, 0), from(new TopicPartition("orders", 2), 0)));

        assertThat(fetched).extracting(one -> one.records().sizeInBytes() > 0).containsExactly(false, true, false);
    }

    @Test
    void partitionsAfterTheFullOneAreNotRead() {
        List<Want> wants = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            TopicPartition id = new TopicPartition("orders", i);
            LeaderPartition opened = i == 0 ? partition : bench.open(new LogId(Bench.TOPIC_ID, i, "orders"), 5);
            get(produce(opened, batch(10)));
            wants.add(from(id, 0));
        }
        int size = batch(10).at(0).sizeInBytes();
        int before = bench.engine.reads.get();

        List<FetchedPartition> fetched = get(fetch(1, 3 * size + 1, LONG, wants.toArray(Want[]::new)));

        assertThat(fetched)
                .extracting(one -> one.records().sizeInBytes())
                .containsExactly(size, size, size, 0, 0, 0, 0, 0, 0, 0);
        assertThat(bench.engine.reads.get() - before)
                .as("three reads of records and one read that does not fit")
                .isEqualTo(4);
    }

    @Test
    void eachPartitionHasItsOwnLimit() {
        get(produce(partition, batch(1)));
        get(produce(partition, batch(1)));
        int size = batch(1).at(0).sizeInBytes();

        FetchedPartition one =
                get(fetch(1, PLENTY, LONG, new Want(ORDERS, 0, size, -1, -1))).get(0);

        assertThat(one.records().sizeInBytes()).isEqualTo(size);
    }

    @Test
    void anErrorOfOnePartitionIsAnsweredAtOnceWithTheRecordsOfTheOthers() {
        get(produce(partition, batch(1)));

        List<FetchedPartition> fetched =
                get(fetch(PLENTY, PLENTY, LONG, from(SECOND, 0), from(ORDERS, 7), from(ORDERS, 0)));

        assertThat(fetched)
                .extracting(FetchedPartition::error)
                .containsExactly(ErrorCode.LEADER_NOT_AVAILABLE, ErrorCode.OFFSET_OUT_OF_RANGE, ErrorCode.NONE);
        assertThat(fetched.get(2).records().sizeInBytes()).isPositive();
    }

    @Test
    void theReadersLeaderEpochIsChecked() {
        List<FetchedPartition> fetched =
                get(fetch(1, PLENTY, LONG, new Want(ORDERS, 0, PLENTY, 4, -1), new Want(ORDERS, 0, PLENTY, 6, -1)));

        assertThat(fetched)
                .extracting(FetchedPartition::error)
                .containsExactly(ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.UNKNOWN_LEADER_EPOCH);
    }

    @Test
    void aReaderWhoseLogHasDivergedGetsTheEndOfTheCommonEpoch() {
        get(produce(partition, batch(10)));
        LeaderPartition later = bench.open(8);
        get(produce(later, batch(10)));

        List<FetchedPartition> fetched = get(fetch(
                1,
                PLENTY,
                LONG,
                new Want(ORDERS, 12, PLENTY, -1, 5),
                new Want(ORDERS, 12, PLENTY, -1, 6),
                new Want(ORDERS, 10, PLENTY, -1, 5),
                new Want(ORDERS, 10, PLENTY, -1, 9)));

        assertThat(fetched.get(0).divergence()).isEqualTo(new EpochEnd(5, 10));
        assertThat(fetched.get(1).divergence()).isEqualTo(new EpochEnd(5, 10));
        assertThat(fetched.get(2).divergence()).isNull();
        assertThat(RecordBatch.at(((io.felice.api.storage.Records.InMemory)
                                        fetched.get(2).records())
                                .buffers()
                                .get(0))
                        .baseOffset())
                .isEqualTo(10);
        assertThat(fetched.get(3).error()).isEqualTo(ErrorCode.OFFSET_OUT_OF_RANGE);
    }

    @Test
    void aWaitingFetchIsAnsweredWhenLeadershipIsLost() {
        CompletionStage<List<FetchedPartition>> fetched = fetch(1, PLENTY, LONG, from(ORDERS, 0));

        partition.resign();

        assertThat(get(fetched).get(0).error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void aWaitingFetchBelowANewLogStartOffsetIsOutOfRange() {
        get(produce(partition, batch(5)));
        CompletionStage<List<FetchedPartition>> fetched = fetch(PLENTY, PLENTY, LONG, from(ORDERS, 0));

        get(partition.deleteRecords(5));

        assertThat(get(fetched).get(0).error()).isEqualTo(ErrorCode.OFFSET_OUT_OF_RANGE);
    }

    @Test
    void recordsThatAreNotInMemoryAreReadOnAnotherThread() {
        get(produce(partition, batch(1)));
        bench.engine.cold = true;

        assertThat(get(fetch(1, PLENTY, LONG, from(ORDERS, 0))).get(0).records().sizeInBytes())
                .isPositive();
    }

    @Test
    void closingAnswersEveryWaitingFetch() {
        CompletionStage<List<FetchedPartition>> fetched = fetch(1, PLENTY, LONG, from(ORDERS, 0));

        fetches.close();

        assertThat(get(fetched).get(0).error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void aFetchThatIsAnsweredWhenItBeginsToWaitLeavesNoTimer() {
        List<Runnable> meanwhile = new ArrayList<>();
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1) {
            @Override
            public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
                List.copyOf(meanwhile).forEach(Runnable::run);
                meanwhile.clear();
                return super.schedule(task, delay, unit);
            }
        };
        timer.setRemoveOnCancelPolicy(true);
        try (Fetches own = new Fetches(
                this::find, PreferredReplicas.NONE, LeaderThrottle.NONE, new FetchTimes(), nodeWith(timer))) {
            get(produce(partition, batch(1)));
            int size = batch(1).at(0).sizeInBytes();
            meanwhile.add(() -> get(produce(partition, batch(1))));
            meanwhile.add(() -> get(produce(partition, batch(1).valueBytes(100))));

            CompletionStage<List<FetchedPartition>> fetched =
                    own.fetch(new FetchPlan(List.of(from(ORDERS, 0)), 2 * size + 1, PLENTY, LONG, false));

            assertThat(get(fetched).get(0).records().sizeInBytes()).isGreaterThan(2 * size);
            assertThat(timer.getQueue()).isEmpty();
        } finally {
            timer.shutdownNow();
        }
    }

    @Test
    void aFetchWhoseTimeEndsWhenItBeginsToWaitIsAnswered() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1) {
            @Override
            public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
                task.run();
                return super.schedule(() -> {}, delay, unit);
            }
        };
        try (Fetches own = new Fetches(
                this::find, PreferredReplicas.NONE, LeaderThrottle.NONE, new FetchTimes(), nodeWith(timer))) {
            FetchPlan plan = new FetchPlan(List.of(from(ORDERS, 0)), 1, PLENTY, LONG, false);

            assertThat(get(own.fetch(plan)).get(0).error()).isEqualTo(ErrorCode.NONE);
            assertThat(own.parkedCount()).isZero();
        } finally {
            timer.shutdownNow();
        }
    }

    @Test
    void aLongMaxWaitIsCut() {
        fetch(1, PLENTY, Duration.ofDays(100_000), from(ORDERS, 0));

        assertThat(bench.timer.getQueue()).singleElement().isInstanceOfSatisfying(Delayed.class, task -> assertThat(
                        task.getDelay(TimeUnit.NANOSECONDS))
                .isLessThanOrEqualTo(Fetches.MOST_WAIT.toNanos()));
    }

    private Environment nodeWith(ScheduledThreadPoolExecutor timer) {
        return new Environment(0, bench.clock, bench.nanos::get, timer, Runnable::run, new Random(1));
    }

    @Test
    void oneAppendAnswersThousandsOfWaitingFetches() {
        List<CompletionStage<List<FetchedPartition>>> fetched = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            fetched.add(fetch(1, PLENTY, LONG, from(ORDERS, 0)));
        }
        assertThat(fetches.parkedCount()).isEqualTo(5_000);

        get(produce(partition, batch(1)));

        assertThat(fetched).allMatch(one -> get(one).get(0).records().sizeInBytes() > 0);
        assertThat(bench.timer.getQueue()).hasSizeLessThanOrEqualTo(5_000);
    }

    @Test
    void noAppendIsMissedWhileFetchesBeginToWait() throws InterruptedException {
        int count = 3_000;
        Thread writer = new Thread(() -> {
            for (int i = 0; i < count; i++) {
                produce(partition, batch(1));
            }
        });
        writer.start();

        long next = 0;
        while (next < count) {
            FetchedPartition one =
                    get(fetch(1, PLENTY, LONG, from(ORDERS, next))).get(0);
            assertThat(one.error()).isEqualTo(ErrorCode.NONE);
            assertThat(one.records().sizeInBytes()).isPositive();
            for (var bytes : ((io.felice.api.storage.Records.InMemory) one.records()).buffers()) {
                for (RecordBatch read : io.felice.records.Batches.split(bytes)) {
                    assertThat(read.baseOffset()).isEqualTo(next);
                    next = read.nextOffset();
                }
            }
        }
        writer.join();
    }

    private LeaderPartition ledWithFollower() {
        PartitionState state = new PartitionState(List.of(0, 1), List.of(0, 1), List.of(), List.of(), 0, 6, 6, false);
        LeaderPartition led =
                get(partition.log().become(() -> partition.log().lead(state, new BatchAdmission(), new AloneHost())));
        bench.leaders.put(ORDERS, led);
        return led;
    }

    private CompletionStage<List<FetchedPartition>> fetchOfReplica(int replica, long offset) {
        return fetchOfReplica(replica, -1, new Want(ORDERS, offset, PLENTY, 6, -1, 0));
    }

    private CompletionStage<List<FetchedPartition>> fetchOfReplica(int replica, long brokerEpoch, Want want) {
        return fetches.fetch(new FetchPlan(List.of(want), 1, PLENTY, LONG, false, replica, brokerEpoch, ""));
    }

    private static CompletionStage<?> produceWithoutWaiting(LeaderPartition led) {
        return led.append(batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    @Test
    void aFollowerGetsRecordsAboveTheHighWatermarkAndAConsumerDoesNot() {
        LeaderPartition led = ledWithFollower();
        CompletionStage<List<FetchedPartition>> replica = fetchOfReplica(1, 0);
        CompletionStage<List<FetchedPartition>> consumer = fetch(1, PLENTY, LONG, from(ORDERS, 0));
        assertThat(replica.toCompletableFuture()).isNotDone();

        get(produceWithoutWaiting(led));

        assertThat(get(replica).get(0).records().sizeInBytes()).isPositive();
        assertThat(consumer.toCompletableFuture()).isNotDone();
    }

    @Test
    void theNextFetchOfAFollowerRaisesTheHighWatermarkAndAnswersConsumers() {
        LeaderPartition led = ledWithFollower();
        get(produceWithoutWaiting(led));
        CompletionStage<List<FetchedPartition>> consumer = fetch(1, PLENTY, LONG, from(ORDERS, 0));

        fetchOfReplica(1, 1);

        assertThat(get(consumer).get(0).records().sizeInBytes()).isPositive();
        assertThat(led.highWatermark()).isEqualTo(1);
    }

    /** Rule 7: the acknowledgement of a follower that does not know the leader epoch does not count. */
    @Test
    void aFetchOfAnotherLeaderEpochAcknowledgesNothing() {
        LeaderPartition led = ledWithFollower();
        get(produceWithoutWaiting(led));

        ErrorCode older = get(fetchOfReplica(1, -1, new Want(ORDERS, 1, PLENTY, 5, 6, 0)))
                .get(0)
                .error();
        ErrorCode newer = get(fetchOfReplica(1, -1, new Want(ORDERS, 1, PLENTY, 7, 6, 0)))
                .get(0)
                .error();

        assertThat(List.of(older, newer))
                .containsExactly(ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.UNKNOWN_LEADER_EPOCH);
        assertThat(led.highWatermark()).isZero();
    }

    /** Rule 6: records that the leader does not have are not acknowledged. */
    @Test
    void aFetchOfAFollowerWhoseLogDivergesAcknowledgesNothing() {
        LeaderPartition led = ledWithFollower();
        get(produceWithoutWaiting(led));

        FetchedPartition answer =
                get(fetchOfReplica(1, -1, new Want(ORDERS, 1, PLENTY, 6, 5, 0))).get(0);

        assertThat(answer.divergence()).isEqualTo(new EpochEnd(5, 0));
        assertThat(led.highWatermark()).isZero();
    }

    @Test
    void aFetchFromAboveTheLogEndAcknowledgesNothing() {
        LeaderPartition led = ledWithFollower();
        get(produceWithoutWaiting(led));

        FetchedPartition answer = get(fetchOfReplica(1, 7)).get(0);

        assertThat(answer.error()).isEqualTo(ErrorCode.OFFSET_OUT_OF_RANGE);
        assertThat(led.highWatermark()).isZero();
    }

    /** KIP-903: the process behind the fetch has ended, and a new one has registered. */
    @Test
    void aFetchOfAnEndedBrokerEpochIsRefused() {
        LeaderPartition led = ledWithFollower();
        get(produceWithoutWaiting(led));
        get(fetchOfReplica(1, 20, new Want(ORDERS, 0, PLENTY, 6, -1, 0)));

        FetchedPartition answer =
                get(fetchOfReplica(1, 19, new Want(ORDERS, 1, PLENTY, 6, 6, 0))).get(0);

        assertThat(answer.error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
        assertThat(led.highWatermark()).isZero();
    }

    @Test
    void aBrokerThatHasNoReplicaIsRefused() {
        FetchedPartition answer = get(fetchOfReplica(9, 0)).get(0);

        assertThat(answer.error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
}
