package io.felice.broker;

import static io.felice.broker.partition.Bench.ORDERS;
import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.RepeatedFetch;
import io.felice.api.storage.LogId;
import io.felice.broker.partition.AloneHost;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.Watcher;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RepeatedFetchTest {
    private static final int PARTITIONS = 6;
    private static final int STEPS = 3_000;
    private static final int FOLLOWER = 1;
    private static final UUID TOPIC = new UUID(5, 5);

    @TempDir
    Path directory;

    private Bench bench;
    private Fetches fetches;
    private final Map<TopicPartition, LeaderPartition> leaders = new HashMap<>();
    private int lookUps;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        fetches = new Fetches(
                this::find, PreferredReplicas.NONE, LeaderThrottle.NONE, new FetchTimes(), bench.environment);
    }

    @AfterEach
    void tearDown() {
        fetches.close();
        bench.close();
    }

    private LeaderPartition find(TopicPartition wanted) {
        lookUps++;
        LeaderPartition found = leaders.get(wanted);
        if (found == null) {
            throw ErrorCode.LEADER_NOT_AVAILABLE.because("not open");
        }
        return found;
    }

    private LeaderPartition open(TopicPartition partition, int epoch) {
        LeaderPartition before = leaders.get(partition);
        LeaderPartition opened =
                before == null ? bench.open(new LogId(TOPIC, partition.partition(), partition.topic()), epoch) : before;
        PartitionState state = new PartitionState(
                List.of(0, FOLLOWER), List.of(0, FOLLOWER), List.of(), List.of(), 0, epoch, epoch, false);
        if (before != null) {
            before.resign();
        }
        LeaderPartition leader =
                get(opened.log().become(() -> opened.log().lead(state, new BatchAdmission(), new AloneHost())));
        leaders.put(partition, leader);
        return leader;
    }

    /** Returns when readers have been told: the first append of an epoch is made on a thread of the engine. */
    private static void produce(LeaderPartition partition) {
        CountDownLatch told = new CountDownLatch(1);
        Watcher watcher = told::countDown;
        partition.watch(watcher, true);
        get(partition.append(
                batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE));
        try {
            assertThat(told.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
        get(partition.log().become(() -> partition));
        partition.unwatch(watcher, true);
    }

    /** Returns when nothing moves any more. */
    private void settle() {
        leaders.values().forEach(leader -> get(leader.log().become(() -> leader)));
    }

    private static TopicPartition partition(int number) {
        return new TopicPartition("orders", number);
    }

    private static FetchPlan plan(List<Want> wants, int maxBytes, Duration wait, int replica) {
        return new FetchPlan(wants, 1, maxBytes, wait, false, replica, replica < 0 ? -1 : 100, replica < 0 ? null : "");
    }

    // ---- the same as a whole scan

    /** What a reader is told of a partition. */
    private record Told(
            TopicPartition partition, ErrorCode error, long highWatermark, long start, EpochEnd divergence, int bytes) {
        static Told of(FetchedPartition one) {
            Told told = new Told(
                    one.partition(),
                    one.error(),
                    one.highWatermark(),
                    one.logStartOffset(),
                    one.divergence(),
                    one.records().sizeInBytes());
            one.records().close();
            return told;
        }

        boolean isNews(Told before) {
            return error != ErrorCode.NONE
                    || divergence != null
                    || bytes > 0
                    || before == null
                    || before.error != ErrorCode.NONE
                    || before.highWatermark != highWatermark
                    || before.start != start;
        }
    }

    /** A reader with a series of fetches, and what it would be told if each of them read all its partitions. */
    private final class Reader {
        private final int replica;
        private final RepeatedFetch repeated = fetches.repeated();
        private final Map<TopicPartition, Want> wants = new LinkedHashMap<>();
        private final Map<TopicPartition, Want> changed = new LinkedHashMap<>();
        private final List<TopicPartition> forgotten = new ArrayList<>();
        private final Map<TopicPartition, Told> told = new HashMap<>();

        Reader(int replica) {
            this.replica = replica;
        }

        void want(TopicPartition partition, long offset, int epoch, int lastEpoch) {
            Want want = new Want(partition, offset, 1 << 20, epoch, lastEpoch, 0);
            wants.put(partition, want);
            changed.put(partition, want);
        }

        void forget(TopicPartition partition) {
            if (wants.remove(partition) != null) {
                changed.remove(partition);
                told.remove(partition);
                forgotten.add(partition);
            }
        }

        void fetch(int maxBytes, String when) {
            FetchPlan all = plan(List.copyOf(wants.values()), maxBytes, Duration.ZERO, replica);
            if (replica >= 0) {
                get(fetches.fetch(all)).forEach(one -> one.records().close()); // what it acknowledges is not news then
            }
            settle();
            List<Told> whole = news(get(fetches.fetch(all)));
            List<Told> some = news(get(repeated.fetch(
                    plan(List.copyOf(changed.values()), maxBytes, Duration.ZERO, replica), List.copyOf(forgotten))));
            assertThat(some).as(when).isEqualTo(whole);
            changed.clear();
            forgotten.clear();
            for (Told one : some) {
                told.put(one.partition(), one);
                if (one.bytes() > 0) {
                    wants.put(one.partition(), wants.remove(one.partition()));
                }
            }
        }

        private List<Told> news(List<FetchedPartition> fetched) {
            return fetched.stream()
                    .map(Told::of)
                    .filter(one -> one.isNews(told.get(one.partition())))
                    .toList();
        }
    }

    @Test
    void theAnswersAreThoseOfFetchesThatReadAllPartitions() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("RepeatedFetchTest felice.seed=" + seed);
        Random random = new Random(seed);
        Reader consumer = new Reader(FetchPlan.CONSUMER);
        Reader follower = new Reader(FOLLOWER);
        int epoch = 1;
        for (int step = 0; step < STEPS; step++) {
            String when = "step " + step + " of felice.seed " + seed;
            TopicPartition partition = partition(random.nextInt(PARTITIONS));
            LeaderPartition leader = leaders.get(partition);
            Reader reader = random.nextBoolean() ? consumer : follower;
            switch (random.nextInt(14)) {
                case 0, 1, 2 -> {
                    if (leader != null && leader.isOn()) {
                        produce(leader);
                    }
                }
                case 3 -> {
                    epoch++;
                    open(partition, epoch);
                }
                case 4 -> {
                    if (leader != null && random.nextInt(4) == 0) {
                        leader.resign();
                    }
                }
                case 5 -> {
                    if (leader != null && leader.isOn() && random.nextInt(3) == 0) {
                        leader.deleteRecords(random.nextInt(1 + (int) leader.highWatermark()));
                    }
                }
                case 6 -> reader.forget(partition);
                case 7, 8, 9 -> {
                    long end = leader == null ? 0 : leader.logEndOffset();
                    boolean isAtEnd = random.nextInt(4) != 0;
                    int known = leader == null || random.nextInt(10) == 0 ? epoch : leader.leaderEpoch();
                    long offset = isAtEnd ? end : random.nextInt(2 + (int) end);
                    int lastEpoch =
                            leader == null || offset == 0 || random.nextInt(8) == 0 ? -1 : leader.epochOf(offset - 1);
                    reader.want(partition, offset, known, lastEpoch);
                }
                default -> reader.fetch(random.nextInt(4) == 0 ? 150 : 1 << 20, when);
            }
        }
        consumer.repeated.close();
        follower.repeated.close();
    }

    // ---- what it costs, and how it waits

    @Test
    void whatHasNothingNewIsNotLookedAt() {
        List<Want> wants = new ArrayList<>();
        for (int number = 0; number < PARTITIONS; number++) {
            open(partition(number), 1);
            wants.add(new Want(partition(number), 0, 1 << 20, -1, -1));
        }
        RepeatedFetch repeated = fetches.repeated();
        get(repeated.fetch(plan(wants, 1 << 20, Duration.ZERO, -1), List.of()));
        lookUps = 0;

        List<FetchedPartition> nothing = get(repeated.fetch(plan(List.of(), 1 << 20, Duration.ZERO, -1), List.of()));
        assertThat(nothing).isEmpty();
        assertThat(lookUps).isZero();

        produce(open(partition(3), 2));
        get(repeated.fetch(plan(List.of(), 1 << 20, Duration.ZERO, -1), List.of()));
        assertThat(lookUps).isOne();
    }

    @Test
    void aFetchThatWaitsIsAnsweredWithThePartitionThatGotRecords() {
        bench.open(1);
        LeaderPartition quiet = open(partition(1), 1);
        leaders.put(ORDERS, bench.leader(ORDERS));
        RepeatedFetch repeated = fetches.repeated();
        get(repeated.fetch(plan(List.of(atStart(ORDERS), atStart(quiet.id())), 1 << 20, Duration.ZERO, -1), List.of()));

        CompletableFuture<List<FetchedPartition>> fetched = repeated.fetch(
                        plan(List.of(), 1 << 20, Duration.ofMinutes(1), -1), List.of())
                .toCompletableFuture();
        assertThat(fetched).isNotDone();
        get(Bench.produce(bench.leader(ORDERS), batch(3)));

        assertThat(get(fetched)).singleElement().satisfies(one -> {
            assertThat(one.partition()).isEqualTo(ORDERS);
            assertThat(one.records().sizeInBytes()).isPositive();
        });
        assertThat(fetches.parkedCount()).isZero();
    }

    private static Want atStart(TopicPartition partition) {
        return new Want(partition, 0, 1 << 20, -1, -1);
    }

    @Test
    void aFetchThatIsOvertakenEndsWithoutResultsAndTheNextOneReadsAll() {
        LeaderPartition leader = open(partition(1), 1);
        RepeatedFetch repeated = fetches.repeated();
        CompletableFuture<List<FetchedPartition>> overtaken = repeated.fetch(
                        plan(List.of(atStart(leader.id())), 1 << 20, Duration.ofMinutes(1), FOLLOWER), List.of())
                .toCompletableFuture();
        assertThat(overtaken).isNotDone();

        List<FetchedPartition> next = get(repeated.fetch(plan(List.of(), 1 << 20, Duration.ZERO, FOLLOWER), List.of()));

        assertThat(get(overtaken)).isEmpty();
        assertThat(next).extracting(FetchedPartition::partition).containsExactly(leader.id());
    }

    /** The leader must learn the new broker epoch for every partition, or the follower never joins the in-sync sets. */
    @Test
    void aFollowerThatHasRegisteredAgainIsHeardForAllItsPartitions() {
        LeaderPartition leader = open(partition(1), 1);
        RepeatedFetch repeated = fetches.repeated();
        Want want = new Want(leader.id(), 0, 1 << 20, 1, -1, 0);
        get(repeated.fetch(plan(List.of(want), 1 << 20, Duration.ZERO, FOLLOWER), List.of()));

        get(repeated.fetch(new FetchPlan(List.of(), 1, 1 << 20, Duration.ZERO, false, FOLLOWER, 200, ""), List.of()));

        assertThat(leader.inSync().follower(FOLLOWER).orElseThrow().brokerEpoch())
                .isEqualTo(200);
    }

    /** Its fetches do not name the partition, so the leader hears of them only by the broker. */
    @Test
    void aFollowerOfAPartitionThatRestsIsNotBehindWhenRecordsComeAgain() {
        AloneHost host = new AloneHost();
        long[] fetchedAt = {0};
        host.fetches = (broker, brokerEpoch, otherwise) -> Math.max(fetchedAt[0], otherwise);
        LeaderPartition opened = bench.open(1);
        PartitionState state =
                new PartitionState(List.of(0, FOLLOWER), List.of(0, FOLLOWER), List.of(), List.of(), 0, 2, 2, false);
        LeaderPartition leader = get(opened.log().become(() -> opened.log().lead(state, new BatchAdmission(), host)));
        leader.fetchedBy(FOLLOWER, 100, 0, 0);
        bench.pass(3_600_000);
        fetchedAt[0] = bench.nanos.get() - 400_000_000;

        produce(leader);
        leader.tick();
        assertThat(host.due).isEmpty();
        bench.pass(host.mostLagNanos / 1_000_000);
        leader.tick();

        assertThat(host.due).containsExactly(leader);
    }
}
