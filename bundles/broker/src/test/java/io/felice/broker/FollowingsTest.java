package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.FollowingListener;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.ScriptedEngine;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which partitions a broker offers to be fetched from their leaders. */
class FollowingsTest {
    private static final UUID ORDERS = UUID.randomUUID();
    private static final BrokerRegistration OTHER =
            new BrokerRegistration(1, UUID.randomUUID(), UUID.randomUUID(), List.of(), null);

    @TempDir
    Path directory;

    private final ScriptedEngine engine = new ScriptedEngine(Clock.systemUTC());
    private final List<FollowedPartition> following = new CopyOnWriteArrayList<>();
    private final List<FollowedPartition> ended = new CopyOnWriteArrayList<>();
    private SoloBroker node;

    @BeforeEach
    void setUp() {
        node = new SoloBroker(directory.resolve("node"), Map.of("scripted", engine));
        node.broker.followed().listen(new FollowingListener() {
            @Override
            public void following(FollowedPartition partition) {
                following.add(partition);
            }

            @Override
            public void ended(FollowedPartition partition) {
                ended.add(partition);
            }
        });
    }

    @AfterEach
    void tearDown() {
        node.close();
    }

    private void apply(MetadataRecord... records) {
        get(node.broker.metadata().reached(get(node.append(records))));
    }

    private static MetadataRecord state(int leader, int epoch) {
        PartitionState state =
                new PartitionState(List.of(0, 1), List.of(0, 1), List.of(), List.of(), leader, epoch, epoch, false);
        return new MetadataRecord.PartitionChanged(ORDERS, 0, state);
    }

    private void create(int leader) {
        apply(new MetadataRecord.TopicCreated(ORDERS, "orders"), state(leader, 0));
    }

    @Test
    void aPartitionOfALiveLeaderIsOffered() {
        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));

        create(1);

        eventually(() -> assertThat(following).hasSize(1));
        FollowedPartition partition = following.get(0);
        assertThat(partition.leader()).isEqualTo(1);
        assertThat(partition.topicId()).isEqualTo(ORDERS);
        assertThat(partition.fetchOffset()).isZero();
        assertThat(partition.isFollowing()).isTrue();
    }

    @Test
    void aPartitionWithoutALiveLeaderIsNotOffered() {
        create(PartitionState.NO_LEADER);
        apply(state(1, 1));
        assertThat(following).isEmpty();

        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));

        eventually(() -> assertThat(following).hasSize(1));
        assertThat(following.get(0).leaderEpoch()).isEqualTo(1);
    }

    @Test
    void thePartitionOfALeaderThatDiedIsOfferedAgainWhenTheLeaderIsBack() {
        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));
        create(1);
        eventually(() -> assertThat(following).hasSize(1));

        apply(new MetadataRecord.BrokerGone(1, 100));

        eventually(() -> assertThat(ended).isEqualTo(following));
        assertThat(following.get(0).isFollowing()).isFalse();
        apply(new MetadataRecord.BrokerRegistered(OTHER, 101));
        eventually(() -> assertThat(following).hasSize(2));
        assertThat(following.get(1).isFollowing()).isTrue();
    }

    @Test
    void eachLeaderEpochIsAnotherPartition() {
        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));
        create(1);
        eventually(() -> assertThat(following).hasSize(1));

        apply(state(1, 1));

        eventually(() -> assertThat(following).hasSize(2));
        assertThat(ended).containsExactly(following.get(0));
        assertThat(following.get(1).leaderEpoch()).isEqualTo(1);
    }

    @Test
    void aPartitionThatThisNodeLeadsIsNotFollowedAnyMore() {
        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));
        create(1);
        eventually(() -> assertThat(following).hasSize(1));

        apply(state(0, 1));

        node.led("orders");
        assertThat(ended).isEqualTo(following);
    }

    @Test
    void aPartitionWhoseEngineReturnsIsFollowedAgain() {
        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));
        create(1);
        eventually(() -> assertThat(following).hasSize(1));

        node.unbind("scripted", OfferedEngine.of(engine));
        assertThat(ended).isEqualTo(following);

        node.bind("scripted", OfferedEngine.of(engine));
        eventually(() -> assertThat(following).hasSize(2));
    }

    @Test
    void aLateListenerGetsThePartitionsThatAreFollowedAlready() {
        apply(new MetadataRecord.BrokerRegistered(OTHER, 100));
        create(1);
        eventually(() -> assertThat(following).hasSize(1));
        List<FollowedPartition> seen = new CopyOnWriteArrayList<>();

        node.broker.followed().listen(new FollowingListener() {
            @Override
            public void following(FollowedPartition partition) {
                seen.add(partition);
            }

            @Override
            public void ended(FollowedPartition partition) {
                seen.remove(partition);
            }
        });

        eventually(() -> assertThat(seen).isEqualTo(following));
    }
}
