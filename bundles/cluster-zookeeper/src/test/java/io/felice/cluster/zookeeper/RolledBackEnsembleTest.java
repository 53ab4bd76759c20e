package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.ConfigResource;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The disk of ZooKeeper is put back to an older state while a broker runs. The library's client stays away from a server
 * that has fewer transactions than the client has seen, so a node notices it when others have written enough.
 */
class RolledBackEnsembleTest {
    private static final int SESSION_MS = 2_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ConfigResource ALL = ConfigResource.allBrokers();

    @TempDir
    Path directory;

    private SingleServer server;
    private int port;
    private ZooKeeperStore knows;
    private final RecordingFollower follower = new RecordingFollower();
    private final RecordingCandidate candidate = new RecordingCandidate();

    @BeforeEach
    void writeThenPutBack() throws Exception {
        AccessSecret.read(directory.resolve("secret"), true);
        serve(0);
        port = Integer.parseInt(server.connectString().split(":")[1]);
        knows = store("knows");
        knows.follow(follower);
        knows.campaign(candidate);
        await().atMost(PATIENCE).until(() -> candidate.term() != null);
        append(candidate.term(), "kept");
        server.close();
        copy(directory.resolve("server"), directory.resolve("older"));
        serve(port);
        await().atMost(PATIENCE).until(() -> candidate.term() != null && knows.isConnected());
        append(candidate.term(), "lost-1");
        long end = append(candidate.term(), "lost-2");
        await().atMost(PATIENCE).until(() -> follower.view().version() == end);
        server.close();
        delete(directory.resolve("server"));
        copy(directory.resolve("older"), directory.resolve("server"));
    }

    @AfterEach
    void stop() {
        knows.close(true);
        server.close();
    }

    @Test
    void aLogThatHasGrownAgainIsNotTakenForTheOldOne() throws Exception {
        serve(0);
        ZooKeeperStore fresh = store("fresh");
        RecordingCandidate other = new RecordingCandidate();
        fresh.campaign(other);
        await().atMost(PATIENCE).until(() -> other.term() != null);
        for (int i = 0; i < 5; i++) {
            append(other.term(), "new-" + i);
        }
        fresh.close(false);
        server.close();

        serve(port);

        await().atMost(PATIENCE).until(() -> !sentences().isEmpty());
        assertThat(sentences()).contains("has another entry 3 than the one that this node has applied");
        assertThat(follower.view().version()).isEqualTo(3);
    }

    @Test
    void aNodeThatRunsSaysItAndDecidesNothingAndOneThatStartsGoesOnWithWhatIsLeft() throws Exception {
        serveWhatOthersHaveWritten();
        await().atMost(PATIENCE).until(() -> !sentences().isEmpty());
        assertThat(sentences())
                .contains("has 1 entries, but this node has applied 3")
                .contains("restart all brokers");
        await().atMost(PATIENCE).until(() -> candidate.term() == null);

        ZooKeeperStore restarted = store("restarted");
        RecordingFollower reads = new RecordingFollower();
        RecordingCandidate decides = new RecordingCandidate();
        restarted.follow(reads);
        restarted.campaign(decides);

        await().atMost(PATIENCE).until(() -> decides.term() != null);
        long next = append(decides.term(), "goes on");
        await().atMost(PATIENCE).until(() -> reads.view().version() == next);
        assertThat(reads.complaints()).isEmpty();
        assertThat(restarted.troubles()).isEmpty();
        assertThat(follower.view().version()).isEqualTo(3);
        restarted.close(false);
    }

    private String sentences() {
        return knows.isConnected() ? knows.troubles().toString().replace("[]", "") : "";
    }

    private void serve(int at) throws Exception {
        server = SingleServer.open(new ServerSettings("127.0.0.1", at, directory.resolve("server"), 100, 0, 100_000));
    }

    private void serveWhatOthersHaveWritten() throws Exception {
        serve(0);
        ZooKeeper others = new ZooKeeper(server.connectString(), SESSION_MS, event -> {});
        for (int i = 0; i < 100; i++) {
            others.create("/other-" + i, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        }
        others.close();
        server.close();
        serve(port);
    }

    private ZooKeeperStore store(String name) {
        return new ZooKeeperStore(TestEnsemble.config(
                server.connectString(), SESSION_MS, directory.resolve("secret"), directory.resolve(name)));
    }

    private static long append(Term term, String value) throws Exception {
        return term.append(List.of(new MetadataRecord.ConfigSet(ALL, "key", value)))
                .toCompletableFuture()
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
