package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import io.felice.zookeeper.EmbeddedZooKeeper;
import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The repair of a metadata log that has lost a batch which no node knows any more, on the ZooKeeper files of a stopped
 * node.
 */
@Timeout(120)
class MetadataRepairTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final UUID ONE = new UUID(1, 1);
    private static final UUID TWO = new UUID(2, 2);
    private static final UUID THREE = new UUID(3, 3);

    @TempDir
    Path data;

    private Path etc;

    @BeforeEach
    void writeThreeTopics() throws Exception {
        etc = Files.createDirectory(data.resolve("etc"));
        Files.writeString(
                etc.resolve("io.felice.cluster.zookeeper.cfg"),
                "connect = ${env:FELICE_ZOOKEEPER:-}\nroot = /felice\nsecret.file = ${felice.data:-${karaf.base}/felice}/the.secret\n");
        Files.writeString(etc.resolve("io.felice.zookeeper.cfg"), "data.dir = ${felice.data}/the zookeeper\n");
        Files.createDirectory(data.resolve("broker"));
        Files.writeString(data.resolve("broker/felice.properties"), "cluster.id=the-cluster\n");
        AccessSecret.read(data.resolve("the.secret"), true);
        try (SingleServer server = server()) {
            ZooKeeperStore store = store(server);
            RecordingCandidate candidate = new RecordingCandidate();
            store.campaign(candidate);
            await().atMost(PATIENCE).until(() -> candidate.term() != null);
            for (List<MetadataRecord> change : List.of(
                    List.<MetadataRecord>of(new MetadataRecord.ClusterNamed("the-cluster")),
                    topic(ONE, "one"),
                    topic(TWO, "two"),
                    List.<MetadataRecord>of(partition(TWO, 0, 7)),
                    List.<MetadataRecord>of(new MetadataRecord.ProducerIdsAllocated(0, 5_000, 1_000)),
                    topic(THREE, "three"))) {
                candidate.term().append(change).toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
            store.close(false);
        }
    }

    @Test
    void aWholeLogIsLeftAlone() throws Exception {
        Result result = repair(true);

        assertThat(result.exitCode()).isZero();
        assertThat(result.output()).contains("whole");
        assertThat(read().version()).isEqualTo(6);
    }

    @Test
    void withoutConsentItSaysWhatIsLostAndChangesNothing() throws Exception {
        delete("/felice/log/0000000003");

        Result result = repair(false);

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output())
                .contains("[3]", "Lost for certain is the topic with the id " + TWO, "one with 2 partitions", "--yes")
                .contains("three with 2 partitions")
                .doesNotContain("two with");
        assertThat(length()).isEqualTo(6);
    }

    @Test
    void withConsentItGoesOnWithWhatIsLeft() throws Exception {
        delete("/felice/log/0000000003");

        Result result = repair(true);

        assertThat(result.exitCode()).as(result.output()).isZero();
        ClusterView view = read();
        assertThat(view.version()).isGreaterThanOrEqualTo(8);
        assertThat(view.clusterId()).contains("the-cluster");
        assertThat(view.topics()).extracting(topic -> topic.name()).containsExactlyInAnyOrder("one", "three");
        assertThat(view.topic("one").orElseThrow().partition(1).orElseThrow().leaderEpoch())
                .isGreaterThan(3);
        assertThat(view.nextProducerId()).isGreaterThan(6_000);
        assertThat(repair(true).output()).contains("whole");
    }

    @Test
    void aLostClusterIdIsTakenFromTheDataDirectory() throws Exception {
        delete("/felice/log/0000000001");
        delete("/felice/controller_epoch");

        Result result = repair(true);

        assertThat(result.output()).contains("the-cluster");
        assertThat(read().clusterId()).contains("the-cluster");
        assertThat(read().topics()).hasSize(3);
    }

    private static List<MetadataRecord> topic(UUID id, String name) {
        return List.of(
                new MetadataRecord.TopicCreated(id, name),
                partition(id, 0, 3),
                partition(id, 1, 3),
                new MetadataRecord.ConfigSet(ConfigResource.topic(name), "retention.ms", "1000"));
    }

    private static MetadataRecord partition(UUID id, int number, int leaderEpoch) {
        return new MetadataRecord.PartitionChanged(
                id,
                number,
                new PartitionState(List.of(0), List.of(0), List.of(), List.of(), 0, leaderEpoch, leaderEpoch, false));
    }

    private record Result(int exitCode, String output) {}

    private Result repair(boolean yes) throws Exception {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        int exitCode = new MetadataRepair(
                        new MetadataRepair.Options(data, etc, yes, Map.of()),
                        new PrintStream(output, true, StandardCharsets.UTF_8))
                .run();
        return new Result(exitCode, output.toString(StandardCharsets.UTF_8));
    }

    private SingleServer server() throws Exception {
        return SingleServer.open(ServerSettings.onLoopback(data.resolve("the zookeeper")));
    }

    private ZooKeeperStore store(EmbeddedZooKeeper server) {
        return new ZooKeeperStore(TestEnsemble.config(
                server.connectString(), 10_000, data.resolve("the.secret"), data.resolve("the.session")));
    }

    /** The state that a node would read if it started now. */
    private ClusterView read() throws Exception {
        long length = length();
        try (SingleServer server = server()) {
            ZooKeeperStore store = store(server);
            RecordingFollower follower = new RecordingFollower();
            store.follow(follower);
            await().atMost(PATIENCE).until(() -> follower.view().version() == length);
            store.close(false);
            return follower.view();
        }
    }

    private long length() throws Exception {
        try (SingleServer server = server()) {
            ZooKeeper admin = admin(server);
            long length = admin.exists("/felice/log", false).getVersion();
            admin.close();
            return length;
        }
    }

    private void delete(String path) throws Exception {
        try (SingleServer server = server()) {
            ZooKeeper admin = admin(server);
            admin.delete(path, -1);
            admin.close();
        }
    }

    private ZooKeeper admin(EmbeddedZooKeeper server) throws Exception {
        ZooKeeper admin = new ZooKeeper(server.connectString(), 10_000, event -> {});
        admin.addAuthInfo("digest", AccessSecret.read(data.resolve("the.secret"), false));
        return admin;
    }
}
