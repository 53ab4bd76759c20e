package io.felice.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a broker needs from the embedded ZooKeeper, tested with ZooKeeper's own client. */
class SingleServerTest {

    @TempDir
    Path data;

    @Test
    void keepsNodesAcrossARestart() throws Exception {
        try (SingleServer server = SingleServer.open(ServerSettings.onLoopback(data))) {
            ask(server, client -> create(client, "/kept", "value"));
        }

        try (SingleServer server = SingleServer.open(ServerSettings.onLoopback(data))) {
            ask(server, client -> assertThat(client.getData("/kept", false, null))
                    .asString(UTF_8)
                    .isEqualTo("value"));
        }
    }

    @Test
    void listensOnlyWhereItWasTold() throws Exception {
        try (SingleServer server = SingleServer.open(ServerSettings.onLoopback(data))) {
            int port = portOf(server);

            assertThat(accepts("127.0.0.1", port)).isTrue();
            assertThat(accepts("127.0.0.2", port)).isFalse();
        }
    }

    @Test
    void saysInOneSentenceThatThePortIsTaken() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            int port = other.getLocalPort();

            assertThatThrownBy(() -> SingleServer.open(new ServerSettings("127.0.0.1", port, data, 2_000, 60, 100_000)))
                    .isInstanceOf(IOException.class)
                    .hasMessage("ZooKeeper cannot listen on 127.0.0.1:" + port + ": the port is taken;"
                            + " choose another with --zookeeper-port, or as port in io.felice.zookeeper.cfg");
        }
    }

    @Test
    void saysWhichDirectoryCannotBeUsed() throws Exception {
        Path file = Files.createFile(data.resolve("file"));

        assertThatThrownBy(() -> SingleServer.open(ServerSettings.onLoopback(file)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ZooKeeper cannot keep its data in " + file);
    }

    @Test
    void givesBackItsPortAndEndsWhenClosed() throws Exception {
        SingleServer server = SingleServer.open(ServerSettings.onLoopback(data));
        int port = portOf(server);

        server.close();

        assertThat(server.awaitEnd(0, TimeUnit.SECONDS)).isTrue();
        try (ServerSocket next = new ServerSocket()) {
            next.setReuseAddress(true);
            next.bind(new InetSocketAddress("127.0.0.1", port));
            assertThat(next.isBound()).isTrue();
        }
    }

    @Test
    void keepsOnlyTheSnapshotsThatWereAskedFor() throws Exception {
        ServerSettings frequent = new ServerSettings("127.0.0.1", 0, data, 2_000, 60, 10);
        try (SingleServer server = SingleServer.open(frequent)) {
            ask(server, client -> {
                for (int i = 0; i < 200; i++) {
                    create(client, "/" + i, "");
                }
            });

            server.purge(3);

            assertThat(snapshots()).isBetween(3L, 4L);
        }
        try (SingleServer server = SingleServer.open(frequent)) {
            ask(server, client -> assertThat(client.exists("/199", false)).isNotNull());
        }
    }

    private long snapshots() throws IOException {
        try (var files = Files.walk(data)) {
            return files.filter(file -> file.getFileName().toString().startsWith("snapshot."))
                    .count();
        }
    }

    /** An operation of a connected client. */
    private interface Question {
        void ask(ZooKeeper client) throws Exception;
    }

    private static void ask(SingleServer server, Question question) throws Exception {
        ZooKeeper client = connect(server);
        try {
            question.ask(client);
        } finally {
            client.close();
        }
    }

    private static void create(ZooKeeper client, String path, String value) throws Exception {
        client.create(path, value.getBytes(UTF_8), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    private static ZooKeeper connect(SingleServer server) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper client = new ZooKeeper(server.connectString(), 30_000, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        assertThat(connected.await(60, TimeUnit.SECONDS)).isTrue();
        return client;
    }

    private static int portOf(SingleServer server) {
        String address = server.connectString();
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    private static boolean accepts(String host, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 5_000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
