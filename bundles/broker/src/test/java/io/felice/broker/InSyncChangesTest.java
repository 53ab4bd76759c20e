package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.status.StatusTable;
import io.felice.broker.partition.ScriptedEngine;
import io.felice.testkit.RefusingAdmin;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader changes the in-sync set through the controller, and leaves it when it stops. Broker 1 follows. */
class InSyncChangesTest {
    private static final UUID ORDERS = UUID.randomUUID();
    private static final long FOLLOWERS_EPOCH = 1_000;
    private static final BrokerRegistration FOLLOWER =
            new BrokerRegistration(1, UUID.randomUUID(), UUID.randomUUID(), List.of(), null);

    /** A request to the controller, which the test answers. */
    private record Asked(
            long brokerEpoch,
            Map<PartitionId, InSyncChange> changes,
            CompletableFuture<Decided<PartitionId, PartitionState>> answer) {}

    @TempDir
    Path directory;

    private final LinkedBlockingQueue<Asked> asked = new LinkedBlockingQueue<>();
    private final List<Long> left = new CopyOnWriteArrayList<>();
    private final ScriptedEngine engine = new ScriptedEngine(Clock.systemUTC());
    private SoloBroker node;
    private Admin controller;

    @BeforeEach
    void setUp() {
        node = new SoloBroker(directory.resolve("node"), Map.of("scripted", engine));
        controller = controller();
        node.broker.bindAdmin(controller);
    }

    @AfterEach
    void tearDown() {
        node.close();
    }

    private Admin controller() {
        return new RefusingAdmin("a leader") {
            @Override
            public CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
                    int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
                Asked one = new Asked(brokerEpoch, changes, new CompletableFuture<>());
                asked.add(one);
                return one.answer();
            }

            @Override
            public CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch) {
                left.add(brokerEpoch);
                return CompletableFuture.completedFuture(
                        new Decided<>(node.broker.metadata().view().version(), Map.of(0, Outcome.of(0))));
            }
        };
    }

    private void apply(MetadataRecord... records) {
        get(node.broker.metadata().reached(get(node.append(records))));
    }

    private static MetadataRecord state(int partition, int partitionEpoch, Integer... inSync) {
        PartitionState state =
                new PartitionState(List.of(0, 1), List.of(inSync), List.of(), List.of(), 0, 0, partitionEpoch, false);
        return new MetadataRecord.PartitionChanged(ORDERS, partition, state);
    }

    private void create(int partitions, Integer... inSync) {
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new MetadataRecord.BrokerRegistered(FOLLOWER, FOLLOWERS_EPOCH));
        records.add(new MetadataRecord.TopicCreated(ORDERS, "orders"));
        for (int i = 0; i < partitions; i++) {
            records.add(state(i, 0, inSync));
        }
        apply(records.toArray(MetadataRecord[]::new));
        node.led("orders");
    }

    private void followerFetches(int partitions, long offset) {
        List<Want> wants = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            wants.add(new Want(new TopicPartition("orders", i), offset, 1_000, 0, offset == 0 ? -1 : 0, 0));
        }
        get(node.broker
                .partitions()
                .fetch(new FetchPlan(wants, 0, 1_000, Duration.ZERO, false, 1, FOLLOWERS_EPOCH, "")));
    }

    private Asked next() {
        try {
            Asked one = asked.poll(60, TimeUnit.SECONDS);
            assertThat(one).as("a request to the controller").isNotNull();
            return one;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private void decide(Asked one, Integer... inSync) {
        Map<PartitionId, Outcome<PartitionState>> outcomes = new HashMap<>();
        List<MetadataRecord> records = new ArrayList<>();
        one.changes().forEach((id, change) -> {
            MetadataRecord.PartitionChanged changed =
                    (MetadataRecord.PartitionChanged) state(id.partition(), change.partitionEpoch() + 1, inSync);
            records.add(changed);
            outcomes.put(id, Outcome.of(changed.state()));
        });
        long version = get(node.append(records.toArray(MetadataRecord[]::new)));
        one.answer().complete(new Decided<>(version, outcomes));
    }

    private static void refuse(Asked one, ErrorCode error) {
        Map<PartitionId, Outcome<PartitionState>> outcomes = new HashMap<>();
        one.changes().keySet().forEach(id -> outcomes.put(id, Outcome.failed(error, "said by a test")));
        one.answer().complete(new Decided<>(0, outcomes));
    }

    private List<Integer> inSync() {
        return node.broker
                .metadata()
                .view()
                .topic("orders")
                .orElseThrow()
                .partitions()
                .get(0)
                .isr();
    }

    @Test
    void aFollowerThatHasCaughtUpJoinsWithTheBrokerEpochOfItsFetch() {
        create(1, 0);

        followerFetches(1, 0);

        Asked one = next();
        assertThat(one.brokerEpoch())
                .isEqualTo(node.broker
                        .metadata()
                        .view()
                        .broker(0)
                        .map(LiveBroker::epoch)
                        .orElseThrow());
        assertThat(one.changes())
                .containsEntry(
                        new PartitionId(ORDERS, 0),
                        new InSyncChange(0, 0, Map.of(0, one.brokerEpoch(), 1, FOLLOWERS_EPOCH), false));
        decide(one, 0, 1);
        eventually(() -> assertThat(inSync()).containsExactly(0, 1));
        followerFetches(1, 0);
        assertThat(asked).isEmpty();
    }

    @Test
    void theChangesOfManyPartitionsAreInOneRequest() {
        create(20, 0);

        followerFetches(20, 0);
        Asked first = next();
        if (first.changes().size() < 20) {
            decide(first, 0, 1);
            assertThat(first.changes().size() + next().changes().size()).isEqualTo(20);
        }
    }

    @Test
    void aChangeThatIsNotDecidedIsProposedAgain() {
        create(1, 0);
        followerFetches(1, 0);

        next().answer().completeExceptionally(ErrorCode.NETWORK_EXCEPTION.because("said by a test"));
        refuse(next(), ErrorCode.NOT_CONTROLLER);
        refuse(next(), ErrorCode.INELIGIBLE_REPLICA);

        decide(next(), 0, 1);
        eventually(() -> assertThat(inSync()).containsExactly(0, 1));
    }

    @Test
    void withoutAControllerTheChangeWaits() {
        node.broker.unbindAdmin(controller);
        create(1, 0);
        followerFetches(1, 0);
        assertThat(asked).isEmpty();

        node.broker.bindAdmin(controller);

        assertThat(next().changes()).hasSize(1);
    }

    @Test
    void aLeaderWithAnOldStateWaitsForTheNewOne() {
        create(1, 0);
        followerFetches(1, 0);
        refuse(next(), ErrorCode.INVALID_UPDATE_VERSION);
        followerFetches(1, 0);
        assertThat(asked).isEmpty();

        apply(state(0, 3, 0));
        followerFetches(1, 0);

        assertThat(next().changes().get(new PartitionId(ORDERS, 0)).partitionEpoch())
                .isEqualTo(3);
    }

    @Test
    void aFollowerThatDoesNotFetchLeavesAndAppendsGoOn() {
        apply(new MetadataRecord.ConfigSet(ConfigResource.broker(0), BrokerConfig.REPLICA_LAG_TIME_MAX_MS, "200"));
        create(1, 0, 1);
        CompletionStage<Appended> append = node.produce("orders", batch(1));

        Asked one = next();
        assertThat(one.changes().get(new PartitionId(ORDERS, 0)).isr()).containsOnlyKeys(0);
        assertThat(append.toCompletableFuture()).isNotDone();
        decide(one, 0);

        assertThat(get(append).baseOffset()).isZero();
    }

    /** Rule 21: it would put other records at offsets that a follower may have read, in the same leader epoch. */
    @Test
    void aLeaderWhoseLogHasLostRecordsDoesNotLeadInItsEpochAndAsksForAnElection() {
        create(1, 0);
        get(node.produce("orders", batch(1)));
        get(node.produce("orders", batch(1)));
        engine.loses = 1;
        engine.onAppend = () -> {
            throw new IllegalStateException("said by a test");
        };
        assertThat(catchThrowable(() -> get(node.produce("orders", batch(1))))).isNotNull();
        engine.onAppend = () -> {};

        Asked one = next();

        assertThat(one.changes()).containsEntry(new PartitionId(ORDERS, 0), new InSyncChange(0, 0, Map.of(), false));
        assertThat(node.table("broker.partitions").value("leading")).contains(0L);
        PartitionState next = new PartitionState(List.of(0, 1), List.of(0), List.of(), List.of(), 0, 1, 1, true);
        apply(new MetadataRecord.PartitionChanged(ORDERS, 0, next));
        assertThat(node.led("orders").leaderEpoch()).isEqualTo(1);
        assertThat(node.led("orders").logEndOffset()).isEqualTo(1);
    }

    @Test
    void operatorsSeeWhoIsBehind() {
        create(1, 0);
        get(node.produce("orders", batch(3)));

        followerFetches(1, 0);

        StatusTable followers = node.table("broker.followers");
        assertThat(followers.rows()).hasSize(1);
        assertThat(followers.rows().get(0).subList(0, 4)).isEqualTo(List.<Object>of("orders-0", "1", false, 3L));
        assertThat(node.table("broker.replication").value("under.replicated")).contains(1L);
        assertThat(node.table("broker.replication").value("under.min.in.sync")).contains(0L);
        assertThat(node.table("broker.replication").value("fenced")).contains(false);
    }

    @Test
    void aBrokerThatStopsLeavesTheInSyncSetsFirst() {
        create(1, 0, 1);
        long epoch =
                node.broker.metadata().view().broker(0).map(LiveBroker::epoch).orElseThrow();

        node.broker.close();

        assertThat(left).containsExactly(epoch);
    }

    @Test
    void aBrokerThatIsAloneJustStops() {
        node.broker.close();

        assertThat(left).isEmpty();
    }
}
