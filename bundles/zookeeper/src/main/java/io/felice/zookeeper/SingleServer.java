package io.felice.zookeeper;

import io.felice.api.Reserve;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.Request;
import org.apache.zookeeper.server.RequestRecord;
import org.apache.zookeeper.server.ServerCnxn;
import org.apache.zookeeper.server.SyncRequestProcessor;
import org.apache.zookeeper.server.ZKDatabase;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.apache.zookeeper.server.persistence.Util;
import org.apache.zookeeper.util.ServiceUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A ZooKeeper server without an ensemble. It listens on one address, and has neither the admin server nor JMX.
 *
 * <p>It runs from {@link #open} until {@link #close}, or until it fails by itself, for example because the disk is
 * full. Then {@link #awaitEnd} returns.
 */
public final class SingleServer implements EmbeddedZooKeeper, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(SingleServer.class);
    private static final long PREALLOCATED_LOG_BYTES = 4L << 20;
    private static final int RESERVE_BYTES = 1 << 20;
    /** Some blocks of a transaction log. A server can do without a new snapshot. */
    private static final long NEEDED_BYTES = 64 << 10;

    private static final long REFUSALS_ARE_LOGGED_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int ACCEPT_BACKLOG = -1;
    private static final String SNAPSHOT = "snapshot";
    private static final String LOG = "log";

    /**
     * The operations that a client may ask for: those that brokers use, and those with which an operator reads and sets
     * access control lists. The server refuses every other operation. Some of those check neither session nor access
     * control list: deleteContainer lets anybody delete a znode without children (CVE-2026-79993), and setWatches tells
     * anybody which znodes exist and have changed (CVE-2026-59739).
     */
    private static final Set<Integer> SERVED = Set.of(
            OpCode.auth,
            OpCode.closeSession,
            OpCode.create,
            OpCode.create2,
            OpCode.delete,
            OpCode.exists,
            OpCode.getACL,
            OpCode.getAllChildrenNumber,
            OpCode.getChildren,
            OpCode.getChildren2,
            OpCode.getData,
            OpCode.multi,
            OpCode.ping,
            OpCode.setACL,
            OpCode.setData,
            OpCode.sync);

    private static final AtomicInteger EXITS_ASKED_FOR = new AtomicInteger();

    static {
        // By default the library exits the process when it cannot write its files. Here only the server ends.
        ServiceUtils.setSystemExitProcedure(code -> EXITS_ASKED_FOR.incrementAndGet());
        FileTxnLog.setPreallocSize(PREALLOCATED_LOG_BYTES);
    }

    private final ServerSettings settings;
    private final FileTxnSnapLog files;
    private final Reserve reserve;
    private final NIOServerCnxnFactory connections;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicLong refusalLoggedNanos = new AtomicLong(System.nanoTime() - REFUSALS_ARE_LOGGED_EVERY_NANOS);

    private SingleServer(
            ServerSettings settings, FileTxnSnapLog files, Reserve reserve, NIOServerCnxnFactory connections) {
        this.settings = settings;
        this.files = files;
        this.reserve = reserve;
        this.connections = connections;
    }

    /**
     * Starts a server, and returns when it answers clients. Blocks while the server replays its log.
     *
     * @throws IOException if the address cannot be used or the data cannot be read; the message is a sentence for the
     *     operator
     */
    public static SingleServer open(ServerSettings settings) throws IOException, InterruptedException {
        NIOServerCnxnFactory connections = listen(settings);
        try {
            FileTxnSnapLog files = files(settings);
            Reserve reserve = new Reserve(settings.dataDirectory(), RESERVE_BYTES);
            requireRoom(settings, reserve);
            SingleServer server = new SingleServer(settings, files, reserve, connections);
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

    int connectionCount() {
        return connections.getNumAliveConnections();
    }

    /**
     * Waits until the server has failed or is closed.
     *
     * @return false if it still runs at the end of this time
     */
    boolean awaitEnd(long time, TimeUnit unit) throws InterruptedException {
        return ended.await(time, unit);
    }

    /**
     * Keeps the newest {@code retained} snapshots and the transaction logs after them. Deletes all older files. Keeps
     * room aside for a start on a full disk.
     */
    void purge(int retained) throws IOException {
        List<File> snapshots = files.findNValidSnapshots(retained);
        if (snapshots.size() == retained) {
            long oldest = zxid(snapshots.get(retained - 1), SNAPSHOT);
            deleteBelow(oldest, SNAPSHOT, files.getSnapDir());
            deleteBelow(firstLogWith(oldest), LOG, files.getDataLogDir());
        }
        reserve.keep();
    }

    @Override
    public void close() {
        connections.shutdown();
        try {
            files.close();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "The transaction log of ZooKeeper in " + settings.dataDirectory() + " was not closed", e);
        } finally {
            ended.countDown();
        }
    }

    private void startServing() throws IOException, InterruptedException {
        SyncRequestProcessor.setSnapCount(settings.snapshotEvery());
        int exits = EXITS_ASKED_FOR.get();
        connections.startup(new Server());
        if (EXITS_ASKED_FOR.get() != exits) {
            throw new IOException("ZooKeeper cannot write its data in " + settings.dataDirectory()
                    + ": the disk is full or has failed. ZooKeeper's own messages in the log say more");
        }
    }

    /**
     * The first transaction of the log file that has this transaction. A log file is named after its first transaction.
     */
    private long firstLogWith(long zxid) {
        return Arrays.stream(files.getSnapshotLogs(zxid))
                .mapToLong(file -> zxid(file, LOG))
                .min()
                .orElse(0);
    }

    private static void deleteBelow(long zxid, String kind, File directory) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory.toPath(), kind + ".*")) {
            for (Path file : all) {
                if (zxid(file.toFile(), kind) < zxid) {
                    Files.delete(file);
                }
            }
        }
    }

    private static long zxid(File file, String kind) {
        return Util.getZxidFromName(file.getName(), kind);
    }

    private static NIOServerCnxnFactory listen(ServerSettings settings) throws IOException {
        NIOServerCnxnFactory connections = new NIOServerCnxnFactory();
        try {
            InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port());
            connections.configure(address, settings.maxClientConnections(), ACCEPT_BACKLOG, false);
            return connections;
        } catch (UnknownHostException e) {
            throw new IOException("ZooKeeper cannot listen on " + settings.host() + ": no such host", e);
        } catch (BindException e) {
            throw new IOException(
                    "ZooKeeper cannot listen on " + settings.host() + ":" + settings.port() + ": " + reason(e), e);
        }
    }

    private static String reason(BindException e) {
        return e.getMessage().contains("in use")
                ? "the port is taken; choose another with --zookeeper-port, or as port in io.felice.zookeeper.cfg"
                : e.getMessage();
    }

    private static void requireRoom(ServerSettings settings, Reserve reserve) throws IOException {
        long free = reserve.release(NEEDED_BYTES);
        if (free < NEEDED_BYTES) {
            throw new IOException("The disk is full: " + free + " bytes are free for " + settings.dataDirectory()
                    + ", and ZooKeeper needs " + NEEDED_BYTES + " bytes there to start");
        }
    }

    private static FileTxnSnapLog files(ServerSettings settings) throws IOException {
        try {
            Files.createDirectories(settings.dataDirectory());
            return new FileTxnSnapLog(
                    settings.dataDirectory().toFile(), settings.dataDirectory().toFile());
        } catch (IOException e) {
            throw new IOException(
                    "ZooKeeper cannot keep its data in " + settings.dataDirectory() + ": " + e.getMessage(), e);
        }
    }

    /** Answers "unimplemented" and ends the connection, as the library does for unknown operations. */
    private void refuse(ServerCnxn connection, RequestHeader request) throws IOException {
        long last = refusalLoggedNanos.get();
        long now = System.nanoTime();
        if (now - last >= REFUSALS_ARE_LOGGED_EVERY_NANOS && refusalLoggedNanos.compareAndSet(last, now)) {
            log.warn(
                    "ZooKeeper refused the operation {} ({}) from {} and ended the connection: no broker needs it",
                    Request.op2String(request.getType()),
                    request.getType(),
                    connection.getRemoteSocketAddress());
        }
        connection.sendResponse(new ReplyHeader(request.getXid(), 0, Code.UNIMPLEMENTED.intValue()), null, "response");
        connection.sendCloseSession();
    }

    /**
     * The library's server without MBeans. It serves the operations in {@link #SERVED} only, and counts {@link #ended}
     * down when it fails.
     */
    private final class Server extends ZooKeeperServer {

        Server() {
            super(
                    files,
                    settings.tickTimeMs(),
                    -1, // shortest session: the default, 2 ticks
                    -1, // longest session: the default, 20 ticks
                    ACCEPT_BACKLOG,
                    new ZKDatabase(files),
                    "");
        }

        @Override
        public void processPacket(ServerCnxn connection, RequestHeader header, RequestRecord request)
                throws IOException {
            if (SERVED.contains(header.getType())) {
                super.processPacket(connection, header, request);
            } else {
                refuse(connection, header);
            }
        }

        /**
         * Writes a snapshot whole before it replaces one of the same name. If it cannot be written, for example on a full
         * disk, the transaction logs have all that it would have. Only a directory without any snapshot must get one:
         * the library does not read logs without it.
         */
        @Override
        public File takeSnapshot(boolean sync, boolean isSevere) throws IOException {
            File before = files.findMostRecentSnapshot();
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
