package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.cluster.ClusterStore;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract of cluster stores, and the methods with which tests disconnect, expire and depose sessions. */
class MemoryClusterStoreTest extends ClusterStoreContract {
    private final MemoryClusterStore cluster = new MemoryClusterStore();

    @Override
    protected ClusterStore session() {
        return cluster.session();
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void aReconnectedSessionGetsTheEventsThatItMissed() throws Exception {
        MemoryClusterStore far = cluster.session();
        RecordingFollower follower = new RecordingFollower();
        far.follow(follower);
        ClusterStore.Term term = elected(cluster);
        get(term.append(List.of(config("a", "1"))));
        far.disconnect();
        long version = get(term.append(List.of(config("b", "1"))));
        assertThat(far.isConnected()).isFalse();
        assertThat(keys(follower)).containsExactly("a");

        far.reconnect();

        awaitVersion(follower, version);
        assertThat(keys(follower)).containsExactly("a", "b");
        assertThat(far.isConnected()).isTrue();
    }

    @Test
    void anExpiredSessionLosesItsBrokerAndItsTerm() {
        MemoryClusterStore mortal = cluster.session();
        RecordingCandidate controller = new RecordingCandidate();
        RecordingCandidate heir = new RecordingCandidate();
        RecordingListener listener = new RecordingListener();
        mortal.campaign(controller);
        mortal.register(broker(1, UUID.randomUUID()), listener);
        cluster.campaign(heir);
        assertThat(listener.next()).startsWith("registered ");
        mortal.disconnect();

        mortal.expire();

        await().until(() -> heir.term() != null && heir.brokerIds().isEmpty());
        mortal.reconnect();
        await().until(() -> controller.term() == null && heir.brokerIds().equals(List.of(1)));
        assertThat(listener.next()).startsWith("registered ");
    }

    @Test
    void aDeposedControllerIsTheLastCandidate() {
        RecordingCandidate one = new RecordingCandidate();
        RecordingCandidate two = new RecordingCandidate();
        cluster.campaign(one);
        cluster.campaign(two);
        await().until(() -> one.term() != null);

        cluster.deposeController();

        await().until(() -> two.term() != null);
        assertThat(one.term()).isNull();
        assertThat(two.epochs()).containsExactly(one.epochs().get(0) + 1);
    }
}
