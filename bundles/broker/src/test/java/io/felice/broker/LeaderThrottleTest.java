package io.felice.broker;

import static io.felice.broker.partition.Bench.ORDERS;
import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.storage.LogId;
import io.felice.broker.partition.AloneHost;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.LeaderPartition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeaderThrottleTest {
    private static final TopicPartition PAYMENTS = new TopicPartition("payments", 0);
    private static final int IN_SYNC = 1;
    private static final int BEHIND = 2;
    private static final int RECORDS = 200;

    @TempDir
    Path directory;

    private Bench bench;
    private Fetches fetches;
    private LeaderPartition orders;
    private LeaderPartition payments;
    private volatile long rate = Long.MAX_VALUE;
    private long ordersBytes;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        Map<String, TopicConfig> configs = Map.of(
                "orders", TopicConfig.with(Map.of(TopicConfig.LEADER_THROTTLED_REPLICAS, "0:0")),
                "payments", TopicConfig.with(Map.of(TopicConfig.LEADER_THROTTLED_REPLICAS, "7:0")));
        LeaderThrottle throttle = new LeaderThrottle(
                () -> rate,
                topic -> configs.get(topic).getList(TopicConfig.LEADER_THROTTLED_REPLICAS),
                0,
                bench.nanos::get);
        orders = lead(ORDERS, Bench.ID);
        payments = lead(PAYMENTS, new LogId(new java.util.UUID(8, 8), 0, "payments"));
        fetches = new Fetches(
                id -> id.equals(ORDERS) ? orders : payments,
                PreferredReplicas.NONE,
                throttle,
                new FetchTimes(),
                bench.environment);
        for (int i = 0; i < RECORDS; i++) {
            produce(orders);
        }
        ordersBytes = orders.sizeInBytes();
    }

    private LeaderPartition lead(TopicPartition partition, LogId id) {
        PartitionState state = new PartitionState(
                List.of(0, IN_SYNC, BEHIND), List.of(0, IN_SYNC), List.of(), List.of(), 0, 5, 5, false);
        AloneHost host = new AloneHost();
        host.live = Map.of(IN_SYNC, 100L, BEHIND, 100L);
        return get(bench.open(id, 4)
                .log()
                .become(() -> bench.leader(partition).log().lead(state, new BatchAdmission(), host)));
    }

    @AfterEach
    void tearDown() {
        fetches.close();
        bench.close();
    }

    private static void produce(LeaderPartition partition) {
        get(partition.append(
                batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE));
    }

    private CompletionStage<List<FetchedPartition>> fetch(int replica, int maxWaitMs, Want... wants) {
        return fetches.fetch(
                new FetchPlan(List.of(wants), 1, 1 << 20, Duration.ofMillis(maxWaitMs), false, replica, 100, ""));
    }

    private static Want from(TopicPartition partition, long offset) {
        return new Want(partition, offset, 1 << 20, 5, offset == 0 ? -1 : 5, 0);
    }

    private static int bytes(List<FetchedPartition> answer, int i) {
        int bytes = answer.get(i).records().sizeInBytes();
        answer.get(i).records().close();
        return bytes;
    }

    @Test
    void aFollowerThatIsNotInSyncGetsNoMoreThanTheRate() {
        rate = ordersBytes / 10;
        int oneBatch = batch(1).at(0).sizeInBytes();
        long offset = 0;
        long given = 0;

        for (int second = 0; second < 5; second++) {
            for (int part = 0; part < 100; part++) {
                int got =
                        bytes(get(fetch(BEHIND, 0, new Want(ORDERS, offset, oneBatch, 5, offset == 0 ? -1 : 5, 0))), 0);
                offset += got / oneBatch;
                given += got;
                bench.nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }

        assertThat(given).isBetween(rate * 5 - oneBatch, rate * 5 + rate / 10 + 2 * oneBatch);
    }

    @Test
    void aFollowerInSyncAndAPartitionThatIsNotNamedAreNotThrottled() {
        rate = 1;
        bench.nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        bytes(get(fetch(BEHIND, 0, from(ORDERS, 0))), 0);
        produce(payments);

        List<FetchedPartition> behind = get(fetch(BEHIND, 60_000, from(ORDERS, 100), from(PAYMENTS, 0)));
        List<FetchedPartition> inSync = get(fetch(IN_SYNC, 60_000, from(ORDERS, 100)));

        assertThat(bytes(behind, 0)).isZero();
        assertThat(bytes(behind, 1)).isPositive();
        assertThat(bytes(inSync, 0)).isPositive();
    }

    @Test
    void aThrottledFetchWaitsForTheRateAndNotForTheNextAppend() {
        rate = ordersBytes;
        bench.nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        bytes(get(fetch(BEHIND, 0, from(ORDERS, 0))), 0);

        CompletableFuture<List<FetchedPartition>> fetched = fetchAndProduce();
        // The fetch waits for a second. On a slow machine that may be over.
        while (fetched.isDone()) {
            assertThat(bytes(get(fetched), 0)).isZero();
            fetched = fetchAndProduce();
        }
        bench.nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));

        assertThat(bytes(get(fetched), 0)).isPositive();
    }

    private CompletableFuture<List<FetchedPartition>> fetchAndProduce() {
        CompletionStage<List<FetchedPartition>> fetched = fetch(BEHIND, 60_000, from(ORDERS, 100));
        produce(orders);
        return fetched.toCompletableFuture();
    }

    @Test
    void theThrottleEndsWithItsSetting() {
        rate = 1;
        bench.nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        bytes(get(fetch(BEHIND, 0, from(ORDERS, 0))), 0);
        assertThat(bytes(get(fetch(BEHIND, 0, from(ORDERS, 100))), 0)).isZero();

        rate = Long.MAX_VALUE;

        assertThat(bytes(get(fetch(BEHIND, 0, from(ORDERS, 100))), 0)).isPositive();
    }
}
