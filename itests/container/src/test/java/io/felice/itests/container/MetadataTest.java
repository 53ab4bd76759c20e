package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node and its metadata in ZooKeeper: a stopped ZooKeeper, and deleted znodes. */
class MetadataTest {
    private static final String STACK_FRAME = "\tat ";
    private static final long RECONNECTS_MS = 4_000;

    static Path home;

    private static Launcher node;
    private static int port;
    private static int zookeeperPort;

    @TempDir
    Path directory;

    @BeforeAll
    static void start(@TempDir Path data) throws Exception {
        home = Archive.installation();
        port = Ports.free();
        zookeeperPort = Ports.free();
        node = Launcher.of(home, data).listeningOn(port, zookeeperPort);
        mustStart();
    }

    @AfterAll
    static void stop() throws Exception {
        node.run("stop");
    }

    @Test
    void aSecondNodeWithTheIdOfTheFirstIsRefusedAndWritesNothing() throws Exception {
        Launcher second = Launcher.of(home, directory.resolve("second"))
                .listeningOn(Ports.free(), Ports.free())
                .with("FELICE_ZOOKEEPER", "127.0.0.1:" + zookeeperPort)
                .with("FELICE_BROKER_ID", "0");
        Files.createDirectory(second.data());
        Files.copy(node.data().resolve("zookeeper.secret"), second.data().resolve("zookeeper.secret"));

        Result start = second.run("start");

        assertThat(start.exitCode()).as(start.output()).isEqualTo(1);
        assertThat(start.output())
                .contains("Felice cannot start: Another broker is alive under id 0", "127.0.0.1:" + port);
        assertThat(second.data().resolve("broker/felice.properties")).doesNotExist();
    }

    @Test
    void moreCopiesThanBrokersAreRefused() throws Exception {
        try (Admin admin = admin()) {
            assertThat(causeOf(() -> create(admin, "two-copies", 2)))
                    .isInstanceOf(InvalidReplicationFactorException.class)
                    .hasMessage("Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot"
                            + " be reached because only 1 broker(s) are registered.");
        }
    }

    @Test
    void createdAndDeletedTopicsAndAStoppedZooKeeperAreLoggedOnceEach() throws Exception {
        try (Admin admin = admin()) {
            create(admin, "visitors", 1);
            admin.deleteTopics(List.of("visitors")).all().get();
        }
        assertThat(node.log().lines().filter(line -> line.contains(" INFO ")))
                .filteredOn(line -> line.contains("visitors is created") || line.contains("visitors with the id"))
                .hasSize(2);
        assertThat(node.log()).contains("Broker 0 at [PLAINTEXT://127.0.0.1:" + port + "] has joined");
        int before = node.log().length();

        node.exec("bundle:stop io.felice.zookeeper");
        Eventually.await("a line", () -> node.log().contains("ZooKeeper at 127.0.0.1:" + zookeeperPort + " is away"));
        Thread.sleep(RECONNECTS_MS);

        List<String> lines = node.log().substring(before).lines().toList();
        assertThat(lines).noneMatch(line -> line.startsWith(STACK_FRAME));
        assertThat(lines)
                .as("lines about ZooKeeper, except those about the bundle that this test stops")
                .filteredOn(line -> line.toLowerCase(Locale.ROOT).contains("zookeeper"))
                .filteredOn(line -> !line.contains("The bundle io.felice.zookeeper"))
                .hasSizeLessThanOrEqualTo(2);
        node.exec("bundle:start io.felice.zookeeper");
        Eventually.await("the connection", () -> node.log().substring(before).contains("Connected to ZooKeeper at"));
    }

    @Test
    void aDeletedBatchIsRepairedByARunningNodeOrElseByTheOperator() throws Exception {
        try (Admin admin = admin()) {
            create(admin, "orders", 1);
        }
        try (AuthorizedClient client = new AuthorizedClient("127.0.0.1:" + zookeeperPort)) {
            client.delete(client.batchOf("orders"));
            Eventually.await(
                    "two snapshots",
                    () -> node.log().split("Kept a snapshot", -1).length > 2
                            && client.zooKeeper
                                            .getChildren("/felice/log", false)
                                            .size()
                                    <= 1);
        }
        try (Admin admin = admin()) {
            create(admin, "lost", 1);
            create(admin, "kept", 1);
        }
        node.run("stop");
        mustStart();
        try (Admin admin = admin()) {
            assertThat(admin.listTopics().names().get()).contains("orders", "lost", "kept");
        }
        node.run("stop");
        try (SingleServer server =
                        SingleServer.open(ServerSettings.onLoopback(node.data().resolve("zookeeper")));
                AuthorizedClient client = new AuthorizedClient(server.connectString())) {
            client.delete(client.batchOf("lost"));
        }

        Result refused = node.run("start");
        Result asked = node.run("metadata-repair");
        Result repaired = node.run("metadata-repair", "--yes");

        assertThat(refused.exitCode()).as(refused.output()).isEqualTo(1);
        assertThat(refused.output()).contains("of the metadata log in ZooKeeper", "is gone", "felice metadata-repair");
        assertThat(node.log().split("is gone", -1).length).isLessThan(10);
        assertThat(asked.exitCode()).as(asked.output()).isEqualTo(1);
        assertThat(asked.output()).contains("orders with 1 partitions", "kept with 1 partitions", "say --yes");
        assertThat(repaired.exitCode()).as(repaired.output()).isZero();
        mustStart();
        try (Admin admin = admin()) {
            assertThat(admin.listTopics().names().get())
                    .contains("orders", "kept")
                    .doesNotContain("lost");
        }
    }

    private static void mustStart() throws Exception {
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port));
    }

    private static void create(Admin admin, String topic, int replicationFactor)
            throws ExecutionException, InterruptedException {
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) replicationFactor)))
                .all()
                .get();
    }

    private interface Task {
        void run() throws Exception;
    }

    private static Throwable causeOf(Task task) throws Exception {
        try {
            task.run();
        } catch (ExecutionException failure) {
            return failure.getCause();
        }
        return null;
    }

    /** A ZooKeeper client with the brokers' secret. */
    private static final class AuthorizedClient implements AutoCloseable {
        private final ZooKeeper zooKeeper;

        AuthorizedClient(String ensemble) throws IOException {
            zooKeeper = new ZooKeeper(ensemble, 30_000, event -> {});
            String secret =
                    Files.readString(node.data().resolve("zookeeper.secret")).trim();
            zooKeeper.addAuthInfo("digest", ("felice:" + secret).getBytes(StandardCharsets.UTF_8));
        }

        /** The path of the znode with the batch that created this topic. */
        String batchOf(String topic) throws KeeperException, InterruptedException {
            for (String name : zooKeeper.getChildren("/felice/log", false)) {
                String batch = "/felice/log/" + name;
                String text = new String(zooKeeper.getData(batch, false, null), StandardCharsets.UTF_8);
                if (text.contains("name=" + topic)) {
                    return batch;
                }
            }
            throw new IllegalStateException("no batch names " + topic);
        }

        void delete(String path) throws KeeperException, InterruptedException {
            zooKeeper.delete(path, -1);
        }

        @Override
        public void close() {
            try {
                zooKeeper.close();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
