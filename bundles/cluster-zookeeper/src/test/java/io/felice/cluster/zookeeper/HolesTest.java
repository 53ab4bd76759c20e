package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.Launch;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.ConfigResource;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Somebody deletes znodes of the metadata: which nodes notice it, which stop, and what repairs the log. */
@Timeout(120)
class HolesTest {
    private static final int SESSION_MS = 1_200;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private TestEnsemble ensemble;
    private ZooKeeper admin;
    private Path fatal;

    @BeforeEach
    void start() throws Exception {
        ensemble = new TestEnsemble(directory);
        admin = new ZooKeeper(ensemble.connectString(), 30_000, event -> {});
        admin.addAuthInfo("digest", AccessSecret.read(ensemble.secretFile(), false));
        fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
    }

    @AfterEach
    void stop() throws Exception {
        System.clearProperty(Launch.FATAL_FILE);
        admin.close();
        ensemble.close();
    }

    @Test
    void aReaderThatMeetsAHoleStopsAndSaysSo() throws Exception {
        append(5);
        admin.delete("/felice/log/0000000003", -1);
        ZooKeeperStore late = ensemble.store(SESSION_MS);
        RecordingFollower follower = new RecordingFollower();

        late.follow(follower);

        await().atMost(PATIENCE).until(() -> Files.exists(fatal));
        assertThat(fatal)
                .content()
                .contains(
                        "Batch 3 of the metadata log in ZooKeeper, /felice/log/0000000003, is gone", "metadata-repair");
        assertThat(follower.view().version()).isEqualTo(2);
        assertThat(follower.resets()).isEqualTo(1);
    }

    @Test
    void aReaderThatStoppedGoesOnAtASnapshotThatCoversTheHole() throws Exception {
        Candidacy candidacy = append(5);
        admin.delete("/felice/log/0000000003", -1);
        RecordingFollower late = new RecordingFollower();
        ensemble.store(SESSION_MS).follow(late);
        await().atMost(PATIENCE).until(() -> Files.exists(fatal));

        candidacy.snapshot();

        await().atMost(PATIENCE).until(() -> late.view().version() == 5);
        assertThat(late.view().toRecords())
                .containsExactlyInAnyOrderElementsOf(candidacy.view().toRecords());
        assertThat(late.complaints()).isEmpty();
    }

    @Test
    void aRunningControllerIsToldOfAHoleUntilTwoSnapshotsCoverIt() throws Exception {
        Candidacy candidacy = append(5);

        admin.delete("/felice/log/0000000003", -1);

        await().atMost(PATIENCE).until(() -> !candidacy.candidate.damages().isEmpty());
        assertThat(candidacy.candidate.damages().get(0)).contains("[3]", "/felice/log");
        candidacy.snapshot();
        candidacy.append();
        candidacy.snapshot();
        await().atMost(PATIENCE).until(() -> children("/felice/log").size() == 1);
        awaitQuiet(candidacy);
        assertThat(freshView().toRecords())
                .containsExactlyInAnyOrderElementsOf(candidacy.view().toRecords());
        assertThat(fatal).doesNotExist();
    }

    @Test
    void aSnapshotWithoutOneOfItsChunksIsNotUsed() throws Exception {
        Candidacy candidacy = append(5);
        candidacy.snapshot();
        candidacy.append();
        candidacy.snapshot();
        candidacy.append();

        admin.delete("/felice/snapshots/0000000006/0000", -1);

        await().atMost(PATIENCE).until(() -> !candidacy.candidate.damages().isEmpty());
        assertThat(candidacy.candidate.damages().get(0)).contains("/felice/snapshots/0000000006");
        assertThat(freshView().toRecords())
                .containsExactlyInAnyOrderElementsOf(candidacy.view().toRecords());
        assertThat(fatal).doesNotExist();
    }

    @Test
    void aReaderStopsWhenNoSnapshotHasAllItsChunks() throws Exception {
        Candidacy candidacy = append(5);
        candidacy.snapshot();
        candidacy.append();
        candidacy.snapshot();
        await().atMost(PATIENCE).until(() -> children("/felice/log").size() == 1);
        admin.delete("/felice/snapshots/0000000005/0000", -1);
        admin.delete("/felice/snapshots/0000000006/0000", -1);
        RecordingFollower late = new RecordingFollower();

        ensemble.store(SESSION_MS).follow(late);

        await().atMost(PATIENCE).until(() -> Files.exists(fatal));
        assertThat(fatal).content().contains("lack chunks", "metadata-repair");
        assertThat(late.resets()).isZero();
    }

    @Test
    void aControllerEpochThatIsGoneIsMadeAgainAboveTheLastOne() throws Exception {
        Candidacy candidacy = append(1);
        int before = candidacy.term().epoch();

        admin.delete("/felice/controller_epoch", -1);
        try {
            candidacy.append();
        } catch (ExecutionException deposed) {
            // The append fails because it checks the znode that was deleted.
        }

        await().atMost(PATIENCE)
                .until(() -> candidacy.candidate.term() != null
                        && candidacy.candidate.term().epoch() > before);
        candidacy.append();
    }

    @Test
    void aBrokerRegistersAlthoughTheParentOfRegistrationsIsGone() throws Exception {
        ZooKeeperStore store = ensemble.store(SESSION_MS);
        await().atMost(PATIENCE).until(store::isConnected);
        await().atMost(PATIENCE).until(() -> admin.exists("/felice/brokers", false) != null);
        admin.delete("/felice/brokers", -1);
        RecordingCandidate candidate = new RecordingCandidate();
        store.campaign(candidate);

        store.register(
                new BrokerRegistration(1, UUID.randomUUID(), UUID.randomUUID(), List.of(), null),
                new ClusterStore.RegistrationListener() {
                    @Override
                    public void registered(long brokerEpoch) {
                        // The controller sees the broker.
                    }

                    @Override
                    public void refused(String reason) {
                        throw new IllegalStateException(reason);
                    }
                });

        await().atMost(PATIENCE).until(() -> candidate.brokerIds().equals(List.of(1)));
    }

    /** A store that has written changes and has all metadata in memory. */
    private final class Candidacy {
        private final RecordingCandidate candidate = new RecordingCandidate();
        private final RecordingFollower follower = new RecordingFollower();
        private int changes;

        Candidacy(ClusterStore store) {
            store.follow(follower);
            store.campaign(candidate);
        }

        Term term() {
            await().atMost(PATIENCE).until(() -> candidate.term() != null);
            return candidate.term();
        }

        ClusterView view() {
            return follower.view();
        }

        void append() throws Exception {
            String key = "key-" + ++changes;
            long version = term().append(
                            List.of(new MetadataRecord.ConfigSet(ConfigResource.allBrokers(), key, "value")))
                    .toCompletableFuture()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            await().atMost(PATIENCE).until(() -> view().version() >= version);
        }

        void snapshot() throws Exception {
            term().snapshot(view().version(), view().toRecords())
                    .toCompletableFuture()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private Candidacy append(int changes) throws Exception {
        Candidacy candidacy = new Candidacy(ensemble.store(SESSION_MS));
        for (int i = 0; i < changes; i++) {
            candidacy.append();
        }
        return candidacy;
    }

    private ClusterView freshView() throws Exception {
        RecordingFollower fresh = new RecordingFollower();
        ensemble.store(SESSION_MS).follow(fresh);
        long version = admin.exists("/felice/log", false).getVersion();
        await().atMost(PATIENCE).until(() -> fresh.view().version() >= version);
        return fresh.view();
    }

    /** Waits until several checks in a row report nothing new. */
    private static void awaitQuiet(Candidacy candidacy) {
        await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).until(new Callable<>() {
            private int told = -1;

            @Override
            public Boolean call() {
                int before = told;
                told = candidacy.candidate.damages().size();
                return told == before;
            }
        });
    }

    private List<String> children(String path) throws KeeperException, InterruptedException {
        return admin.getChildren(path, false);
    }
}
