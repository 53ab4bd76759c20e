package io.felice.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The cluster store of a {@link FeliceCluster}: what its nodes share. Each run of a node has a session of its own. */
interface SharedStore extends AutoCloseable {
    /** Gives a node that is about to start its session. */
    void join(int id, FeliceNode.Builder node);

    /** Ends the session of a node without a word to the node. */
    void end(int id);

    /** A node whose session was ended begins a new one. */
    void rejoin(int id);

    @Override
    void close();

    static SharedStore inMemory() {
        return new InMemory();
    }

    /** One server, with its data and the secret of the nodes in this directory. */
    static SharedStore zooKeeper(Path directory) {
        return new OnZooKeeper(directory);
    }

    /** A session for each run of a node. */
    final class InMemory implements SharedStore {
        private final MemoryClusterStore cluster = new MemoryClusterStore();
        private final Map<Integer, MemoryClusterStore> sessions = new HashMap<>();

        @Override
        public synchronized void join(int id, FeliceNode.Builder node) {
            MemoryClusterStore session = cluster.session();
            sessions.put(id, session);
            node.store(session);
        }

        @Override
        public synchronized void end(int id) {
            sessions.get(id).disconnect();
            sessions.get(id).expire();
        }

        @Override
        public synchronized void rejoin(int id) {
            sessions.get(id).reconnect();
        }

        @Override
        public void close() {
            cluster.close();
        }
    }

    /** The session of a node that is killed ends by its time-out. */
    final class OnZooKeeper implements SharedStore {
        private static final int TICK_MS = 500;
        private static final int SESSION_MS = 1_000;

        private final Path directory;
        private final Path secret;
        private final int port = freePort();
        private final ComponentRuntime server;

        OnZooKeeper(Path directory) {
            this.directory = directory;
            this.secret = write(directory.resolve("zookeeper.secret"));
            ClassLoader loader = OnZooKeeper.class.getClassLoader();
            Map<String, Object> settings = Map.of(
                    "port", port,
                    "tick.time.ms", TICK_MS,
                    "data.dir", directory.resolve("zookeeper").toString());
            server =
                    new ComponentRuntime(loader, directory, Map.of("io.felice.zookeeper", settings), new Faults(false));
            ComponentDescription.onClassPath(loader).stream()
                    .filter(component -> component.bundle().equals("io.felice.zookeeper"))
                    .forEach(server::add);
            server.settle();
        }

        @Override
        public void join(int id, FeliceNode.Builder node) {
            node.zooKeeper()
                    .config("io.felice.zookeeper", "enabled", false)
                    .config("io.felice.cluster.zookeeper", "connect", "127.0.0.1:" + port)
                    .config("io.felice.cluster.zookeeper", "session.timeout.ms", SESSION_MS)
                    .config("io.felice.cluster.zookeeper", "secret.file", secret.toString())
                    .config(
                            "io.felice.cluster.zookeeper",
                            "session.file",
                            directory.resolve("session-" + id).toString());
        }

        @Override
        public void end(int id) {
            // The node's end of the session stops with the node; the server waits for the session's time-out.
        }

        @Override
        public void rejoin(int id) {
            throw new IllegalStateException("a node can be cut off only from metadata in memory");
        }

        @Override
        public void close() {
            server.close();
        }

        private static int freePort() {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }

        private static Path write(Path secret) {
            try {
                return Files.writeString(secret, "a secret that all nodes of the test share\n");
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    }
}
