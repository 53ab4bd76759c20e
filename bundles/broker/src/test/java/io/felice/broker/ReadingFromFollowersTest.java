package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.produce;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.broker.partition.AloneHost;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.ReadableRole;
import io.felice.testkit.TestBatches;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Consumers read from a replica near them (KIP-392). */
class ReadingFromFollowersTest {
    private static final TopicPartition ORDERS = Bench.ORDERS;
    private static final Duration NOT_AT_ALL = Duration.ZERO;
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private Bench bench;
    private LeaderPartition first;
    private Fetches fetches;
    private volatile ReadableRole role;
    private String selector = BrokerConfig.RACK_AWARE_SELECTOR;

    @BeforeEach
    void setUp() {
        bench = new Bench(directory);
        first = bench.open(3);
        for (int i = 0; i < 5; i++) {
            get(produce(first, batch(1)));
        }
        role = first;
        fetches = new Fetches(
                id -> role,
                new PreferredReplicas(() -> racks("east", "west", "west"), () -> selector),
                LeaderThrottle.NONE,
                new FetchTimes(),
                bench.environment);
    }

    @AfterEach
    void tearDown() {
        fetches.close();
        bench.close();
    }

    private static PartitionState state(int leader, int epoch, Integer... inSync) {
        return new PartitionState(List.of(0, 1, 2), List.of(inSync), List.of(), List.of(), leader, epoch, epoch, false);
    }

    /** Broker n is in the n-th rack, in broker epoch n. */
    private static ClusterView racks(String... racks) {
        ClusterView view = ClusterView.EMPTY;
        for (int id = 0; id < racks.length; id++) {
            BrokerRegistration broker =
                    new BrokerRegistration(id, UUID.randomUUID(), UUID.randomUUID(), List.of(), racks[id], Map.of());
            view = view.after(id + 1, List.of(new MetadataRecord.BrokerRegistered(broker, id)));
        }
        return view;
    }

    private FollowerPartition follow() {
        first.resign();
        FollowerPartition follower = get(first.log().become(() -> first.log().follow(state(1, 4, 0, 1))));
        role = follower;
        return follower;
    }

    private LeaderPartition lead() {
        first.resign();
        LeaderPartition leader = get(first.log()
                .become(() -> first.log().lead(state(0, 4, 0, 1, 2), new BatchAdmission(), new AloneHost())));
        role = leader;
        return leader;
    }

    private CompletionStage<List<FetchedPartition>> fetch(long offset, int epoch, Duration wait, String rack) {
        Want want = new Want(ORDERS, offset, 10_000, epoch, -1);
        return fetches.fetch(new FetchPlan(List.of(want), 1, 10_000, wait, false, FetchPlan.CONSUMER, -1, rack));
    }

    private FetchedPartition fetched(long offset, int epoch, Duration wait, String rack) {
        return get(fetch(offset, epoch, wait, rack)).get(0);
    }

    private static ByteBuffer bytes(long baseOffset) {
        return ByteBuffer.wrap(TestBatches.copyOf(batch(1).leaderEpoch(4).at(baseOffset)));
    }

    @Test
    void aFollowerServesConsumersUpToTheHighWatermarkThatItKnows() {
        FollowerPartition follower = follow();
        get(follower.append(new Fetched(0, 5, bytes(5))));

        FetchedPartition answer = fetched(0, 4, NOT_AT_ALL, "");

        assertThat(answer.error()).isEqualTo(ErrorCode.NONE);
        assertThat(answer.highWatermark()).isEqualTo(5);
        assertThat(answer.records().nextOffset()).isEqualTo(5);
        answer.records().close();
    }

    /** KAFKA-9004. */
    @Test
    void aConsumerOfAnOldVersionAndAReplicaAreRefusedByAFollower() {
        follow();
        FetchPlan replica =
                new FetchPlan(List.of(new Want(ORDERS, 0, 10_000, 4, -1, 0)), 1, 10_000, NOT_AT_ALL, false, 2, 2, null);

        assertThat(fetched(0, 4, NOT_AT_ALL, null).error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
        assertThat(get(fetches.fetch(replica)).get(0).error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void aFollowerComparesTheLeaderEpoch() {
        follow();

        assertThat(fetched(0, 3, NOT_AT_ALL, "").error()).isEqualTo(ErrorCode.FENCED_LEADER_EPOCH);
        assertThat(fetched(0, 5, NOT_AT_ALL, "").error()).isEqualTo(ErrorCode.UNKNOWN_LEADER_EPOCH);
    }

    /** Rule 18: the consumer has read further from another replica, and this one is about to get there. */
    @Test
    void aFetchAboveTheFollowersHighWatermarkWaitsForIt() {
        FollowerPartition follower = follow();
        CompletionStage<List<FetchedPartition>> fetch = fetch(6, 4, LONG, "");
        get(follower.append(new Fetched(0, 5, bytes(5))));
        get(follower.append(new Fetched(0, 6, bytes(6))));
        assertThat(fetch.toCompletableFuture()).isNotDone();

        get(follower.append(new Fetched(0, 7, ByteBuffer.allocate(0))));

        FetchedPartition answer = get(fetch).get(0);
        assertThat(answer.records().nextOffset()).isEqualTo(7);
        answer.records().close();
    }

    @Test
    void aFetchThatStaysAboveTheFollowersHighWatermarkIsNotAvailable() {
        follow();

        assertThat(fetched(6, 4, NOT_AT_ALL, "").error()).isEqualTo(ErrorCode.OFFSET_NOT_AVAILABLE);
        assertThat(fetched(5, 4, NOT_AT_ALL, "").error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aFetchThatWaitsAtAFollowerEndsWithItsRole() {
        FollowerPartition follower = follow();
        CompletionStage<List<FetchedPartition>> fetch = fetch(5, 4, LONG, "");

        follower.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("said by a test"));

        assertThat(get(fetch).get(0).error()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void theLeaderNamesTheInSyncReplicaInTheRackThatHasMost() {
        LeaderPartition leader = lead();
        leader.fetchedBy(1, 1, 4, 0);
        leader.fetchedBy(2, 2, 5, 0);

        FetchedPartition answer = fetched(3, 4, LONG, "west");

        assertThat(answer.preferredReplica()).isEqualTo(2);
        assertThat(answer.records().sizeInBytes()).isZero();
        assertThat(answer.highWatermark()).isEqualTo(5);
    }

    @Test
    void aReplicaWithoutTheRecordsIsNotNamed() {
        LeaderPartition leader = lead();
        leader.fetchedBy(1, 1, 2, 0);
        leader.fetchedBy(2, 2, 5, 4);

        FetchedPartition answer = fetched(3, 4, LONG, "west");

        assertThat(answer.preferredReplica()).isEqualTo(FetchedPartition.NO_PREFERENCE);
        answer.records().close();
    }

    @Test
    void theLeaderServesItsOwnRackAndThoseWithoutARack() {
        LeaderPartition leader = lead();
        leader.fetchedBy(1, 1, 5, 0);

        for (String rack : List.of("east", "", "north")) {
            FetchedPartition answer = fetched(3, 4, LONG, rack);
            assertThat(answer.preferredReplica()).as(rack).isEqualTo(FetchedPartition.NO_PREFERENCE);
            answer.records().close();
        }
    }

    @Test
    void withoutASelectorTheLeaderServesEverybody() {
        selector = "";
        lead().fetchedBy(1, 1, 5, 0);

        FetchedPartition answer = fetched(3, 4, LONG, "west");

        assertThat(answer.preferredReplica()).isEqualTo(FetchedPartition.NO_PREFERENCE);
        answer.records().close();
    }

    /** Rule 18: otherwise the consumers of a follower would wait for its next fetch. */
    @Test
    void aFollowersFetchIsAnsweredWhenOnlyTheHighWatermarkHasMoved() {
        LeaderPartition leader = lead();
        get(leader.append(batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, LONG, Turn.IMMEDIATE));
        leader.fetchedBy(2, 2, 5, 0);
        CompletionStage<List<FetchedPartition>> fetch = fetches.fetch(
                new FetchPlan(List.of(new Want(ORDERS, 6, 10_000, 4, 4, 0)), 1, 10_000, LONG, false, 1, 1, null));
        assertThat(fetch.toCompletableFuture()).isNotDone();

        leader.fetchedBy(2, 2, 6, 0);

        eventually(() -> assertThat(fetch.toCompletableFuture()).isDone());
        assertThat(get(fetch).get(0).highWatermark()).isEqualTo(6);
    }

    /** KIP-207, rule 12. */
    @Test
    void aNewLeaderDoesNotTellAnEndBelowTheStartOfItsEpoch() {
        LeaderPartition before = lead();
        get(before.append(batch(1).at(0).bytes(), Acks.LEADER, Origin.CLIENT, LONG, Turn.IMMEDIATE));
        before.resign();
        LeaderPartition leader = get(
                first.log().become(() -> first.log().lead(state(0, 5, 0, 1), new BatchAdmission(), new AloneHost())));

        refused(ErrorCode.OFFSET_NOT_AVAILABLE, () -> leader.latestOffset(ReadLimit.HIGH_WATERMARK));
        refused(ErrorCode.OFFSET_NOT_AVAILABLE, () -> get(leader.offsetFor(Long.MAX_VALUE, ReadLimit.HIGH_WATERMARK)));
        assertThat(leader.latestOffset(ReadLimit.LOG_END)).isEqualTo(6);
        leader.fetchedBy(1, 1, 6, 0);
        assertThat(leader.latestOffset(ReadLimit.HIGH_WATERMARK)).isEqualTo(6);
    }
}
