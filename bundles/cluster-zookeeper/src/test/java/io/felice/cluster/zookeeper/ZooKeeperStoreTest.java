package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.Launch;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.testkit.ClusterStoreContract;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract of cluster stores on a real server, and what only ZooKeeper has: sessions, znodes, access rights. */
class ZooKeeperStoreTest extends ClusterStoreContract {
    private static final int SESSION_MS = 4_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** Tests give up before a session of this length ends: what they see does not come from its end. */
    private static final int LASTING_SESSION_MS = 180_000;

    @TempDir
    Path directory;

    private TestEnsemble ensemble;

    @BeforeEach
    void start() throws Exception {
        ensemble = new TestEnsemble(directory);
    }

    @AfterEach
    void stop() {
        ensemble.close();
    }

    private TestEnsemble lasting() throws Exception {
        return TestEnsemble.granting(LASTING_SESSION_MS, directory.resolve("lasting"));
    }

    @Override
    protected ClusterStore session() {
        try {
            return ensemble.store(SESSION_MS);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Test
    void aSnapshotOfFiveMegabytesIsReadBackWhole() throws Exception {
        ClusterStore store = session();
        RecordingFollower near = new RecordingFollower();
        store.follow(near);
        Term term = elected(store);
        for (int i = 0; i < 10; i++) {
            List<MetadataRecord> change = new ArrayList<>();
            for (int j = 0; j < 1_000; j++) {
                change.add(config("key-" + (i * 1_000 + j), "x".repeat(450)));
            }
            awaitVersion(near, get(term.append(change)));
        }
        List<MetadataRecord> state = near.view().toRecords();
        get(term.snapshot(near.view().version(), state));
        RecordingFollower late = new RecordingFollower();

        session().follow(late);

        awaitVersion(late, near.view().version());
        assertThat(late.changes()).isEmpty();
        assertThat(late.view().toRecords()).hasSize(10_000).containsExactlyInAnyOrderElementsOf(state);
        byte[] pointer = admin(zk -> zk.getData("/felice/snapshots", false, null));
        assertThat(new String(pointer, StandardCharsets.UTF_8)).matches("snapshot/1 version=\\d+ chunks=1[01]\n");
    }

    @Test
    void theNumberOfZnodesStaysBounded() throws Exception {
        ClusterStore store = session();
        RecordingFollower follower = new RecordingFollower();
        store.follow(follower);
        Term term = elected(store);
        for (int round = 0; round < 10; round++) {
            List<CompletionStage<Long>> appends = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                appends.add(term.append(List.of(config("key-" + i, "y".repeat(10_000) + round))));
            }
            awaitVersion(follower, get(appends.get(199)));
            get(term.snapshot(follower.view().version(), follower.view().toRecords()));
        }

        await().atMost(PATIENCE).until(() -> admin(zk -> zk.getAllChildrenNumber("/felice")) < 60);

        List<String> snapshots = admin(zk -> zk.getChildren("/felice/snapshots", false));
        assertThat(snapshots).hasSize(SnapshotList.KEPT);
        assertThat(follower.resets()).isEqualTo(1);
    }

    @Test
    void handingOverTheSessionLooksLikeNothingToOthers() throws Exception {
        RecordingCandidate controller = new RecordingCandidate();
        session().campaign(controller);
        await().atMost(PATIENCE).until(() -> controller.term() != null);
        BrokerRegistration broker = broker(1, UUID.randomUUID());
        RecordingListener listener = new RecordingListener();
        ZooKeeperStore store = ensemble.store(ensemble.connectString(), SESSION_MS, "shared");
        store.register(broker, listener);
        String registered = listener.next();
        long session = store.sessionId();
        await().atMost(PATIENCE).until(() -> controller.brokerIds().equals(List.of(1)));
        int told = controller.allBrokers().size();

        for (int i = 0; i < Extent.of(20, 100); i++) {
            store.close(true);
            store = ensemble.store(ensemble.connectString(), SESSION_MS, "shared");
            RecordingListener again = new RecordingListener();
            RecordingFollower follower = new RecordingFollower();
            store.register(broker, again);
            store.follow(follower);
            assertThat(again.next()).isEqualTo(registered);
            assertThat(store.sessionId()).isEqualTo(session);
            long version = get(controller.term().append(List.of(config("hand-over", "" + i))));
            awaitVersion(follower, version);
        }

        assertThat(controller.allBrokers()).hasSize(told);
    }

    @Test
    void aTermLeftBehindInAHandedOverSessionIsTakenUpAgain() throws Exception {
        ZooKeeperStore before = ensemble.store(ensemble.connectString(), SESSION_MS, "shared");
        RecordingCandidate old = new RecordingCandidate();
        before.campaign(old);
        await().atMost(PATIENCE).until(() -> old.term() != null);
        int epoch = old.term().epoch();
        before.close(true);
        assertThat(old.term()).isNull();

        ZooKeeperStore after = ensemble.store(ensemble.connectString(), SESSION_MS, "shared");
        Term term = elected(after);

        assertThat(term.epoch()).isGreaterThan(epoch);
        assertThat(get(term.append(List.of(config("a", "1"))))).isEqualTo(1);
    }

    @Test
    void aBrokerWhoseStoreEndsWithItsFrameworkLeavesAtOnce() throws Exception {
        try (TestEnsemble lasting = lasting()) {
            RecordingCandidate controller = new RecordingCandidate();
            lasting.store(LASTING_SESSION_MS).campaign(controller);
            ZooKeeperStore leaving = lasting.store(LASTING_SESSION_MS);
            leaving.register(broker(1, UUID.randomUUID()), new RecordingListener());
            await().atMost(PATIENCE).until(() -> controller.brokerIds().equals(List.of(1)));

            leaving.close(false);

            await().atMost(PATIENCE).until(() -> controller.brokerIds().isEmpty());
        }
    }

    @Test
    void aProcessThatFollowsAKilledOneDoesNotWaitForItsSession() throws Exception {
        try (TestEnsemble lasting = lasting()) {
            UUID storeId = UUID.randomUUID();
            ZooKeeperStore killed = lasting.store(lasting.connectString(), LASTING_SESSION_MS, "shared");
            RecordingListener before = new RecordingListener();
            killed.register(broker(1, storeId), before);
            RecordingCandidate old = new RecordingCandidate();
            killed.campaign(old);
            before.next();
            await().atMost(PATIENCE).until(() -> old.term() != null);
            Path file = lasting.directory().resolve("shared");
            String[] words = Files.readString(file).split(" ");
            killed.close(true);
            // The file looks as if a process that has ended had written it.
            Files.writeString(file, String.join(" ", words[0], "4194305", words[2], words[3], words[4], words[5]));

            ZooKeeperStore next = lasting.store(lasting.connectString(), LASTING_SESSION_MS, "shared");
            RecordingListener after = new RecordingListener();
            next.register(broker(1, storeId), after);
            elected(next);

            assertThat(after.next()).startsWith("registered ");
            assertThat(next.sessionId()).isNotEqualTo(Long.parseUnsignedLong(words[3], 16));
        }
    }

    @Test
    void aProcessOnACopyOfTheDataDirectoryIsRefusedAndDoesNotHarmTheOther() throws Exception {
        UUID storeId = UUID.randomUUID();
        Files.createDirectories(directory.resolve("original"));
        Files.createDirectories(directory.resolve("copy"));
        ZooKeeperStore original = ensemble.store(ensemble.connectString(), 1_000, "original/session");
        RecordingListener tells = new RecordingListener();
        original.register(broker(1, storeId), tells);
        assertThat(tells.next()).startsWith("registered ");
        long session = original.sessionId();
        String[] words = Files.readString(directory.resolve("original/session")).split(" ");
        words[1] = "4194305"; // on another machine no process has this id

        Files.writeString(directory.resolve("copy/session"), String.join(" ", words));
        ZooKeeperStore copy = ensemble.store(ensemble.connectString(), 1_000, "copy/session");
        RecordingListener ofTheCopy = new RecordingListener();
        copy.register(broker(1, storeId), ofTheCopy);

        assertThat(ofTheCopy.next()).startsWith("refused ").contains("Another broker is alive under id 1");
        assertThat(tells.isQuiet()).isTrue();
        assertThat(original.sessionId()).isEqualTo(session);
    }

    @Test
    void withoutTheSecretNothingCanBeRead() throws Exception {
        Term term = elected(session());
        get(term.append(List.of(config("a", "1"))));
        ZooKeeper stranger = new ZooKeeper(ensemble.connectString(), SESSION_MS, event -> {});
        try {
            for (String path : List.of("/felice", "/felice/log", "/felice/log/0000000001", "/felice/controller")) {
                assertThatThrownBy(() -> stranger.getData(path, false, new Stat()))
                        .isInstanceOf(KeeperException.NoAuthException.class);
                assertThatThrownBy(() -> stranger.getChildren(path, false))
                        .isInstanceOf(KeeperException.NoAuthException.class);
            }
            assertThatThrownBy(() -> stranger.delete("/felice/log/0000000001", -1))
                    .isInstanceOf(KeeperException.NoAuthException.class);
        } finally {
            stranger.close();
        }
    }

    @Test
    void theSecretIsMadeOnceAndOnlyItsOwnerMayReadIt() throws Exception {
        Path file = directory.resolve("new").resolve("secret");

        byte[] made = AccessSecret.read(file, true);

        assertThat(AccessSecret.read(file, false)).isEqualTo(made);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThatThrownBy(() -> AccessSecret.read(directory.resolve("missing"), false))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is missing");
    }

    @Test
    void aStoreThatHearsNothingForTwoThirdsOfItsSessionCallsItselfCutOff() throws Exception {
        long[] ahead = {0};
        ZooKeeperStore store = new ZooKeeperStore(
                TestEnsemble.config(
                        ensemble.connectString(), SESSION_MS, ensemble.secretFile(), directory.resolve("fenced")),
                () -> System.nanoTime() + ahead[0]);
        try {
            await().atMost(PATIENCE).until(store::isConnected);

            ahead[0] = Duration.ofMillis(SESSION_MS * 2 / 3 + 1).toNanos();

            assertThat(store.isConnected()).isFalse();
            await().atMost(PATIENCE).until(store::isConnected);
        } finally {
            store.close(false);
        }
    }

    @Test
    void aRootThatCannotBeUsedIsSaidAndNotThrown() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        ZooKeeperStore store = new ZooKeeperStore(TestEnsemble.config(
                "no root", ensemble.connectString(), SESSION_MS, ensemble.secretFile(), directory.resolve("unused")));
        try {
            await().atMost(PATIENCE).until(() -> Files.exists(fatal));

            assertThat(fatal).content().contains("io.felice.cluster.zookeeper.cfg: root = no root is not a path");
            assertThat(store.isConnected()).isFalse();
        } finally {
            System.clearProperty(Launch.FATAL_FILE);
            store.close(false);
        }
    }

    /** Asks the server with the secret of the brokers. */
    private <T> T admin(Question<T> question) throws Exception {
        ZooKeeper zk = new ZooKeeper(ensemble.connectString(), SESSION_MS, event -> {});
        try {
            zk.addAuthInfo("digest", AccessSecret.read(ensemble.secretFile(), false));
            return question.ask(zk);
        } finally {
            zk.close();
        }
    }

    private interface Question<T> {
        T ask(ZooKeeper zk) throws Exception;
    }
}
