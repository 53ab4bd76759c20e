package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.testkit.RecordingCandidate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ZooKeeper ends the session of the controller, whose process goes on. */
class ExpiredSessionTest {
    private static final int SESSION_MS = 40_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void theControllerStepsDownAtOnceAndWritesNothingMore() throws Exception {
        try (TestEnsemble ensemble = new TestEnsemble(directory)) {
            ZooKeeperStore store = ensemble.store(ensemble.connectString(), SESSION_MS, "expired");
            RecordingCandidate former = new RecordingCandidate();
            store.campaign(former);
            await().atMost(PATIENCE).until(() -> former.term() != null);
            Term term = former.term();
            ZooKeeperStore other = ensemble.store(SESSION_MS);
            RecordingCandidate next = new RecordingCandidate();
            other.campaign(next);
            await().atMost(PATIENCE).until(other::isControllerElsewhere);

            expire(ensemble, store);

            await().atMost(PATIENCE).until(() -> former.depositions() == 1);
            assertThatThrownBy(() ->
                            term.append(List.of()).toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .extracting(FeliceException::codeOf)
                    .isEqualTo(ErrorCode.NOT_CONTROLLER);
            await().atMost(PATIENCE).until(() -> former.term() != null || next.term() != null);
            ClusterStore standby = next.term() == null ? other : store;
            await("the other one knows it").atMost(PATIENCE).until(standby::isControllerElsewhere);
            assertThat(standby.controllerSince()).isPresent();
        }
    }

    /** A second connection of the session closes it. */
    private void expire(TestEnsemble ensemble, ZooKeeperStore store) throws Exception {
        SessionTicket ticket = new SessionFile(directory.resolve("expired"))
                .read()
                .orElseThrow()
                .ticket();
        assertThat(ticket.sessionId()).isEqualTo(store.sessionId());
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper twin = new ZooKeeper(
                ensemble.connectString(),
                SESSION_MS,
                event -> {
                    if (event.getState() == KeeperState.SyncConnected) {
                        connected.countDown();
                    }
                },
                ticket.sessionId(),
                ticket.password());
        assertThat(connected.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        twin.close();
    }
}
