package io.felice.cluster.zookeeper;

import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A real ZooKeeper server in this JVM, with stores on it. */
final class TestEnsemble implements AutoCloseable {
    private static final int TICK_MS = 250;
    private static final int MOST_TICKS_OF_A_SESSION = 20;

    private final Path directory;
    private final SingleServer server;
    private final List<ZooKeeperStore> stores = new ArrayList<>();

    TestEnsemble(Path directory) throws IOException, InterruptedException {
        this(directory, TICK_MS);
    }

    private TestEnsemble(Path directory, int tickMs) throws IOException, InterruptedException {
        this.directory = directory;
        this.server =
                SingleServer.open(new ServerSettings("127.0.0.1", 0, directory.resolve("server"), tickMs, 0, 100_000));
    }

    /** A server that grants sessions that long. Others grant five seconds at most. */
    static TestEnsemble granting(int sessionMs, Path directory) throws IOException, InterruptedException {
        return new TestEnsemble(Files.createDirectories(directory), sessionMs / MOST_TICKS_OF_A_SESSION);
    }

    Path directory() {
        return directory;
    }

    String connectString() {
        return server.connectString();
    }

    Path secretFile() throws IOException {
        Path file = directory.resolve("secret");
        AccessSecret.read(file, true);
        return file;
    }

    /** A store with a session of its own. */
    ZooKeeperStore store(int sessionTimeoutMs) throws IOException {
        return store(connectString(), sessionTimeoutMs, "session-" + stores.size());
    }

    /** A store whose session is stored in a file of this name. */
    ZooKeeperStore store(String connect, int sessionTimeoutMs, String sessionFile) throws IOException {
        ZooKeeperStore store =
                new ZooKeeperStore(config(connect, sessionTimeoutMs, secretFile(), directory.resolve(sessionFile)));
        stores.add(store);
        return store;
    }

    /** A store whose connection is encrypted. */
    ZooKeeperStore encryptedStore(String connect, int sessionTimeoutMs, Encryption encryption) throws IOException {
        ZooKeeperStore store = new ZooKeeperStore(
                config("/felice", connect, sessionTimeoutMs, secretFile(), directory.resolve("encrypted"), encryption));
        stores.add(store);
        return store;
    }

    @Override
    public void close() {
        stores.forEach(store -> store.close(true));
        server.close();
    }

    static ZooKeeperStore.Config config(String connect, int sessionTimeoutMs, Path secret, Path session) {
        return config("/felice", connect, sessionTimeoutMs, secret, session);
    }

    static ZooKeeperStore.Config config(String root, String connect, int sessionTimeoutMs, Path secret, Path session) {
        return config(root, connect, sessionTimeoutMs, secret, session, Encryption.NONE);
    }

    static ZooKeeperStore.Config config(
            String root, String connect, int sessionTimeoutMs, Path secret, Path session, Encryption encryption) {
        return new StoreConfig(connect, sessionTimeoutMs, root, secret.toString(), session.toString(), encryption);
    }
}
