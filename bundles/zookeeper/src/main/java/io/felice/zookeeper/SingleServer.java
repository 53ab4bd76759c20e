package io.felice.zookeeper;

import java.io.File;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.server.SyncRequestProcessor;
import org.apache.zookeeper.server.ZKDatabase;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A ZooKeeper server without an ensemble. It listens on one address, and has neither the admin server nor JMX.
 *
 * <p>It runs from {@link #open} until {@link #close}, or until it fails by itself, for example because the disk is
 * full. Then {@link #awaitEnd} returns.
 */
public final class SingleServer implements RunningServer {

    private static final Logger log = LoggerFactory.getLogger(SingleServer.class);
    private static final int DEFAULT_BACKLOG = -1;

    static {
        ExitRequests.only();
    }

    private final ServerSettings settings;
    private final ServerFiles files;
    private final GuardedConnections connections;
    private final CountDownLatch ended = new CountDownLatch(1);

    private SingleServer(ServerSettings settings, ServerFiles files, GuardedConnections connections) {
        this.settings = settings;
        this.files = files;
        this.connections = connections;
    }

    /**
     * Starts a server, and returns when it answers clients. Blocks while the server replays its log.
     *
     * @throws IOException if the address cannot be used or the data cannot be read; the message is a sentence for the
     *     operator
     */
    public static SingleServer open(ServerSettings settings) throws IOException, InterruptedException {
        GuardedConnections connections =
                GuardedConnections.listen(settings.host(), settings.port(), settings.maxClientConnections());
        try {
            SingleServer server = new SingleServer(settings, ServerFiles.ofOne(settings.dataDirectory()), connections);
            server.startServing();
            return server;
        } catch (IOException | InterruptedException | RuntimeException e) {
            connections.shutdown();
            throw e;
        }
    }

    @Override
    public String connectString() {
        String host = settings.host();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + connections.getLocalPort();
    }

    @Override
    public int connectionCount() {
        return connections.getNumAliveConnections();
    }

    @Override
    public boolean awaitServing(long time, TimeUnit unit) {
        return true;
    }

    @Override
    public boolean awaitEnd(long time, TimeUnit unit) throws InterruptedException {
        return ended.await(time, unit);
    }

    @Override
    public void purge(int retained) throws IOException {
        files.purge(retained);
    }

    @Override
    public void close() {
        connections.shutdown();
        try {
            files.close();
        } finally {
            ended.countDown();
        }
    }

    private void startServing() throws IOException, InterruptedException {
        SyncRequestProcessor.setSnapCount(settings.snapshotEvery());
        int exits = ExitRequests.count();
        connections.startup(new Server());
        if (ExitRequests.count() != exits) {
            throw new IOException("ZooKeeper cannot write its data in " + settings.dataDirectory()
                    + ": the disk is full or has failed. ZooKeeper's own messages in the log say more");
        }
    }

    /** The library's server without MBeans. It counts {@link #ended} down when it fails. */
    private final class Server extends ZooKeeperServer {

        Server() {
            super(
                    files.library(),
                    settings.tickTimeMs(),
                    -1, // shortest session: the default, 2 ticks
                    -1, // longest session: the default, 20 ticks
                    DEFAULT_BACKLOG,
                    new ZKDatabase(files.library()),
                    "");
        }

        /**
         * Writes a snapshot whole before it replaces one of the same name. If it cannot be written, for example on a full
         * disk, the transaction logs have all that it would have. Only a directory without any snapshot must get one:
         * the library does not read logs without it.
         */
        @Override
        public File takeSnapshot(boolean sync, boolean isSevere) throws IOException {
            File before = files.library().findMostRecentSnapshot();
            if (before == null) {
                return super.takeSnapshot(true, isSevere);
            }
            try {
                return super.takeSnapshot(true, false);
            } catch (IOException failure) {
                log.warn(
                        "ZooKeeper's snapshot was not written in {}; more of its transaction logs is read at the next start:"
                                + " {}",
                        settings.dataDirectory(),
                        failure.toString());
                return before;
            }
        }

        @Override
        protected void registerJMX() {
            // The numbers of a node are in its status tables.
        }

        @Override
        protected void unregisterJMX() {
            // registerJMX() has registered nothing.
        }

        @Override
        protected void setState(State state) {
            super.setState(state);
            if (state == State.ERROR) {
                ended.countDown();
            }
        }
    }
}
