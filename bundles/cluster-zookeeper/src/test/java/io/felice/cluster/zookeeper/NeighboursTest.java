package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.testkit.RecordingCandidate;
import io.felice.zookeeper.Liveness;
import io.felice.zookeeper.LivenessSocket;
import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sessions last longer than the tests wait, so no broker is taken for dead because of its session's time-out. */
class NeighboursTest {
    private static final int SESSION_MS = 40_000;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private SingleServer server;

    @BeforeEach
    void serve() throws Exception {
        AccessSecret.read(directory.resolve("secret"), true);
        server = SingleServer.open(ServerSettings.onLoopback(directory.resolve("server")));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void theOthersKnowAtOnceThatTheControllersProcessWasKilled() throws Exception {
        LivenessSocket liveness = new LivenessSocket("", 0);
        Process killed = startController();
        ZooKeeperStore store = store(1, liveness);
        try (BufferedReader says = killed.inputReader(StandardCharsets.UTF_8)) {
            says.readLine();
            store.register(broker(1), new Epochs());
            RecordingCandidate heir = new RecordingCandidate();
            store.campaign(heir);
            assertThat(says.readLine()).isEqualTo("watched");

            signal(killed, "KILL");

            await().atMost(PATIENCE).until(() -> heir.term() != null);
            await().atMost(PATIENCE).until(() -> heir.brokerIds().equals(List.of(1)));
        } finally {
            killed.destroyForcibly().waitFor();
            store.close(false);
            liveness.close();
        }
    }

    @Test
    void aControllerThatHangsStaysRegistered() throws Exception {
        LivenessSocket liveness = new LivenessSocket("", 0);
        Process hangs = startController();
        ZooKeeperStore store = store(1, liveness);
        try (BufferedReader says = hangs.inputReader(StandardCharsets.UTF_8)) {
            says.readLine();
            store.register(broker(1), new Epochs());
            RecordingCandidate heir = new RecordingCandidate();
            store.campaign(heir);
            assertThat(says.readLine()).isEqualTo("watched");

            signal(hangs, "STOP");
            Thread.sleep(1_500);

            assertThat(heir.term()).isNull();
            assertThat(store.controllerId()).contains(2);
        } finally {
            hangs.destroyForcibly().waitFor();
            store.close(false);
            liveness.close();
        }
    }

    @Test
    void aBrokerThatIsTakenForDeadRegistersAgainAndIsElectedAgainWithoutHarm() throws Exception {
        WrongLiveness wrong = new WrongLiveness();
        ZooKeeperStore victim = store(1, wrong.ofPort(1));
        ZooKeeperStore other = store(2, wrong.ofPort(2));
        try {
            Epochs epochs = new Epochs();
            RecordingCandidate controller = new RecordingCandidate();
            victim.register(broker(1), epochs);
            victim.campaign(controller);
            await().atMost(PATIENCE).until(() -> controller.term() != null);
            other.register(broker(2), new Epochs());
            await().atMost(PATIENCE).until(() -> wrong.proofs.containsKey(1));

            wrong.proofs.remove(1).run();

            await().atMost(PATIENCE).until(() -> epochs.seen.size() == 2);
            assertThat(epochs.seen.get(1)).isGreaterThan(epochs.seen.get(0));
            await().atMost(PATIENCE).until(() -> controller.epochs().size() == 2 && controller.term() != null);
            await().atMost(PATIENCE).until(() -> controller.brokerIds().equals(List.of(1, 2)));
            await("it is watched again").atMost(PATIENCE).until(() -> wrong.proofs.containsKey(1));
            assertThat(epochs.seen).hasSize(2);
        } finally {
            victim.close(false);
            other.close(false);
        }
    }

    @Test
    void aProofAboutASessionThatIsOverDeletesNothing() throws Exception {
        WrongLiveness late = new WrongLiveness();
        ZooKeeperStore first = store(1, late.ofPort(1));
        ZooKeeperStore other = store(2, late.ofPort(2));
        first.register(broker(1), new Epochs());
        other.register(broker(2), new Epochs());
        await().atMost(PATIENCE).until(() -> late.proofs.containsKey(1));
        Runnable proofOfTheFirst = late.proofs.get(1);
        first.close(false);
        ZooKeeperStore second = store(3, late.ofPort(3));
        try {
            Epochs epochs = new Epochs();
            second.register(broker(1), epochs);
            await().atMost(PATIENCE).until(() -> late.proofs.containsKey(3));

            proofOfTheFirst.run();
            RecordingCandidate controller = new RecordingCandidate();
            other.campaign(controller);

            await().atMost(PATIENCE).until(() -> controller.brokerIds().equals(List.of(1, 2)));
            assertThat(epochs.seen).hasSize(1);
        } finally {
            second.close(false);
            other.close(false);
        }
    }

    private ZooKeeperStore store(int id, Liveness liveness) {
        return store(server.connectString(), directory, id, liveness);
    }

    private static ZooKeeperStore store(String connect, Path directory, int id, Liveness liveness) {
        ZooKeeperStore store = new ZooKeeperStore(TestEnsemble.config(
                connect, SESSION_MS, directory.resolve("secret"), directory.resolve("session-" + id)));
        store.bindLiveness(liveness);
        return store;
    }

    private static BrokerRegistration broker(int id) {
        BrokerRegistration.Endpoint endpoint =
                new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", 9092);
        return new BrokerRegistration(id, UUID.randomUUID(), UUID.randomUUID(), List.of(endpoint), null);
    }

    private Process startController() throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OtherController.class.getName(),
                        server.connectString(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static void signal(Process process, String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .inheritIO()
                .start()
                .waitFor();
    }

    private static final class Epochs implements ClusterStore.RegistrationListener {
        private final List<Long> seen = new CopyOnWriteArrayList<>();

        @Override
        public void registered(long brokerEpoch) {
            seen.add(brokerEpoch);
        }

        @Override
        public void refused(String reason) {
            throw new AssertionError(reason);
        }
    }

    /** Proves whatever a test wants, by the port of the process. */
    private static final class WrongLiveness {
        private final Map<Integer, Runnable> proofs = new ConcurrentHashMap<>();

        Liveness ofPort(int port) {
            return new Liveness() {
                @Override
                public Address open(String advertisedHost) {
                    return new Address(advertisedHost, port, new UUID(0, port));
                }

                @Override
                public Subscription watch(Address other, Runnable onProof) {
                    proofs.put(other.port(), onProof);
                    return () -> {};
                }
            };
        }
    }

    /** Broker 2, which is controller. Prints a line when it is, and a line when another process watches it. */
    static final class OtherController {
        private OtherController() {}

        public static void main(String[] arguments) throws Exception {
            LivenessSocket liveness = new LivenessSocket("", 0);
            ZooKeeperStore store = store(arguments[0], Path.of(arguments[1]), 2, liveness);
            RecordingCandidate candidate = new RecordingCandidate();
            store.register(broker(2), new Epochs());
            store.campaign(candidate);
            while (candidate.term() == null
                    || !store.controllerId().equals(Optional.of(2))
                    || !candidate.brokerIds().equals(List.of(2))) {
                Thread.sleep(5);
            }
            System.out.println("controller");
            while (liveness.watcherCount() == 0) {
                Thread.sleep(5);
            }
            System.out.println("watched");
            Thread.sleep(PATIENCE.toMillis() * 2);
        }
    }
}
