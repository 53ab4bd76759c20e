package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.FeliceException;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.ConfigResource;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import io.felice.zookeeper.ServerProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An ensemble of three real processes, which are killed. */
class EnsembleLossTest {
    private static final int SESSION_MS = 20_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** All of them if there is time. */
    private static final int KILLED_ALONE = Boolean.getBoolean("felice.long") ? 3 : 1;

    private static final ConfigResource ALL = ConfigResource.allBrokers();

    @TempDir
    Path directory;

    private final Process[] members = new Process[3];
    private final RecordingFollower follower = new RecordingFollower();
    private final RecordingCandidate candidate = new RecordingCandidate();
    private final List<Long> epochs = new CopyOnWriteArrayList<>();
    private String list;
    private ZooKeeperStore store;

    @BeforeEach
    void start() throws Exception {
        list = freePorts().stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
        AccessSecret.read(directory.resolve("secret"), true);
        for (int member = 0; member < members.length; member++) {
            Path data = Files.createDirectories(directory.resolve("member-" + member));
            Files.createFile(data.resolve("initialize"));
            open(member);
        }
        store = new ZooKeeperStore(
                TestEnsemble.config(list, SESSION_MS, directory.resolve("secret"), directory.resolve("session")));
        store.follow(follower);
        store.campaign(candidate);
        store.register(
                new BrokerRegistration(1, UUID.randomUUID(), UUID.randomUUID(), List.of(), null),
                new ClusterStore.RegistrationListener() {
                    @Override
                    public void registered(long brokerEpoch) {
                        epochs.add(brokerEpoch);
                    }

                    @Override
                    public void refused(String reason) {
                        throw new AssertionError(reason);
                    }
                });
        await().atMost(PATIENCE).until(() -> candidate.term() != null && epochs.size() == 1);
    }

    @AfterEach
    void stop() throws Exception {
        for (Process member : members) {
            member.destroyForcibly().waitFor();
        }
        store.close(true);
    }

    @Test
    void membersThatAreKilledOneByOneAndAllAtOnceLoseNothingAndEndNoSession() throws Exception {
        List<String> acknowledged = new ArrayList<>();
        for (int member = 0; member < KILLED_ALONE; member++) {
            kill(member);
            append(acknowledged, "without-" + member);
            open(member);
        }
        for (int member = 0; member < members.length; member++) {
            kill(member);
        }
        await().atMost(PATIENCE).until(() -> !store.isConnected());
        boolean says = store.troubles().toString().contains("does not answer");
        for (int member = 0; member < members.length; member++) {
            open(member);
        }
        append(acknowledged, "after-all");

        assertThat(says).isTrue();
        await().atMost(PATIENCE).until(() -> values().containsAll(acknowledged));
        assertThat(values()).filteredOn(acknowledged::contains).isEqualTo(acknowledged);
        assertThat(follower.complaints()).isEmpty();
        assertThat(epochs).as("one registration, in one session").hasSize(1);
        assertThat(candidate.epochs()).hasSize(1);
    }

    private List<String> values() {
        return follower.changes().values().stream()
                .flatMap(List::stream)
                .map(record -> ((MetadataRecord.ConfigSet) record).value())
                .toList();
    }

    /** Appends until it is acknowledged. */
    private void append(List<String> acknowledged, String value) throws Exception {
        for (int attempt = 0; ; attempt++) {
            String wanted = value + "/" + attempt;
            try {
                await().atMost(PATIENCE).until(() -> candidate.term() != null);
                Term term = candidate.term();
                term.append(List.of(new MetadataRecord.ConfigSet(ALL, "key", wanted)))
                        .toCompletableFuture()
                        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                acknowledged.add(wanted);
                return;
            } catch (ExecutionException notWritten) {
                assertThat(notWritten.getCause()).isInstanceOf(FeliceException.class);
            }
        }
    }

    private void kill(int member) throws InterruptedException {
        members[member].destroyForcibly().waitFor();
    }

    private void open(int member) throws IOException {
        members[member] = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ServerProcess.class.getName(),
                        directory.resolve("member-" + member).toString(),
                        list,
                        Integer.toString(member + 1))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static List<Integer> freePorts() throws IOException {
        List<Integer> ports = new ArrayList<>();
        while (ports.size() < 3) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 31_000);
            if (!ports.contains(port) && isFree(port) && isFree(port + 707) && isFree(port + 1_707)) {
                ports.add(port);
            }
        }
        return ports;
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException taken) {
            return false;
        }
    }
}
