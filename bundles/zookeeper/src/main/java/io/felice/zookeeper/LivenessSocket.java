package io.felice.zookeeper;

import io.felice.api.Subscription;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket of {@link Liveness}. Who connects is greeted with the id of this process, and hears nothing more until the
 * farewell of a process that stops. One thread owns all connections; it begins with the first call.
 *
 * <pre>
 *  greeting  4 bytes   "FLV1"
 *            16 bytes  the id of the process
 *  farewell  1 byte    'B'
 * </pre>
 */
@Component(service = Liveness.class, configurationPid = "io.felice.zookeeper")
public final class LivenessSocket implements Liveness {
    private static final Logger log = LoggerFactory.getLogger(LivenessSocket.class);
    private static final int MAGIC = 0x464C5631;
    private static final int GREETING_BYTES = 20;
    private static final byte FAREWELL = 'B';
    private static final int WATCHERS_MAX = 1_000;
    /** Far shorter than the time after which a kernel gives up, so that a refused connection is not mixed up with that. */
    private static final long CONNECT_WITHIN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** A process that is being killed closes its sockets one after the other. */
    private static final long RETRY_SOON_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private static final int SOON_MAX = 300;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long STOP_WITHIN_MS = 2_000;

    private final String host;
    private final int port;
    private final UUID process = UUID.randomUUID();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Set<SocketChannel> watchers = ConcurrentHashMap.newKeySet();
    private final Set<Watch> watches = new HashSet<>();
    private Address address;
    private ServerSocketChannel listening;
    private Selector selector;
    private Thread thread;
    private volatile boolean closed;

    @Activate
    public LivenessSocket(EmbeddedServer.Config config) {
        this(config.liveness_host(), config.liveness_port());
    }

    /**
     * @param host that other brokers reach this process at; empty for that of {@link #open}
     * @param port 0 for any free port
     */
    public LivenessSocket(String host, int port) {
        this.host = host.trim();
        this.port = port;
    }

    /** {@link EmbeddedServer} logs the changed settings: they take effect at the next start. */
    @Modified
    void modified(EmbeddedServer.Config wanted) {
        log.debug("The port for liveness stays {}", address);
    }

    /** Says farewell to all watchers. */
    @Deactivate
    public void close() throws InterruptedException {
        Thread ending;
        synchronized (this) {
            closed = true;
            ending = thread;
            if (selector != null) {
                selector.wakeup();
            }
        }
        if (ending != null) {
            ending.join(STOP_WITHIN_MS);
        }
    }

    @Override
    public synchronized Address open(String advertisedHost) throws IOException {
        if (closed) {
            throw new IOException("This process ends");
        }
        if (address == null) {
            String name = host.isEmpty() ? advertisedHost : host;
            begin();
            ServerSocketChannel socket = ServerSocketChannel.open();
            try {
                socket.bind(new InetSocketAddress(bindAddress(name), port));
                socket.configureBlocking(false);
                int bound = ((InetSocketAddress) socket.getLocalAddress()).getPort();
                address = new Address(name, bound, process);
            } catch (IOException failure) {
                socket.close();
                throw new IOException(
                        "The port for liveness, " + name + ":" + port + ", cannot be opened (" + failure.getMessage()
                                + "). See liveness.host and liveness.port in io.felice.zookeeper.cfg",
                        failure);
            }
            listening = socket;
            execute(() -> register(socket));
        }
        return address;
    }

    /** The address of this machine with that name; all addresses if the name is not one of this machine. */
    private static InetAddress bindAddress(String name) {
        try {
            InetAddress resolved = InetAddress.getByName(name);
            if (resolved.isLoopbackAddress() || NetworkInterface.getByInetAddress(resolved) != null) {
                return resolved;
            }
        } catch (UnknownHostException | SocketException unknown) {
            log.debug("{} is no address of this machine", name, unknown);
        }
        return null;
    }

    @Override
    public synchronized Subscription watch(Address other, Runnable onProof) {
        Watch watch = new Watch(other, onProof);
        if (closed) {
            return watch;
        }
        try {
            begin();
        } catch (IOException failure) {
            log.warn("The process at {}:{} is not watched: {}", other.host(), other.port(), failure.toString());
            return watch;
        }
        execute(() -> {
            watches.add(watch);
            watch.connect();
        });
        return watch;
    }

    private void begin() throws IOException {
        if (thread == null && !closed) {
            selector = Selector.open();
            thread = new Thread(this::run, "felice-liveness");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void execute(Runnable task) {
        tasks.add(task);
        selector.wakeup();
    }

    /** How many others watch this process. */
    public int watcherCount() {
        return watchers.size();
    }

    // ---- on the thread

    private void run() {
        try (Selector open = selector) {
            while (!closed) {
                open.select(patienceMs());
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                    task.run();
                }
                for (SelectionKey key : open.selectedKeys()) {
                    if (key.isValid()) {
                        ((Ready) key.attachment()).ready();
                    }
                }
                open.selectedKeys().clear();
                List.copyOf(watches).forEach(Watch::look);
            }
        } catch (IOException | RuntimeException accident) {
            log.error(
                    "The thread that watches the other brokers' processes has failed: a killed broker is noticed at the"
                            + " end of its session only",
                    accident);
        } finally {
            sayFarewell();
        }
    }

    /** What to do when a socket is ready. */
    private interface Ready {
        void ready() throws IOException;
    }

    private long patienceMs() {
        long now = System.nanoTime();
        long next = watches.stream()
                .filter(watch -> watch.isTimed)
                .mapToLong(watch -> watch.due - now)
                .min()
                .orElse(RETRY_NANOS);
        return Math.max(1, TimeUnit.NANOSECONDS.toMillis(next));
    }

    private void register(ServerSocketChannel socket) {
        try {
            socket.register(selector, SelectionKey.OP_ACCEPT, (Ready) this::accept);
        } catch (IOException failure) {
            log.error("No other broker can connect to the port for liveness: {}", failure.toString());
        }
    }

    private void accept() throws IOException {
        SocketChannel watcher;
        try {
            watcher = listening.accept();
        } catch (IOException failure) {
            // Probably the process has no file left; the socket stays ready, and must not keep this thread busy.
            log.debug("A connection to the port for liveness was not accepted", failure);
            LockSupport.parkNanos(PAUSE_NANOS);
            return;
        }
        if (watcher == null) {
            return;
        }
        if (watchers.size() >= WATCHERS_MAX) {
            closeQuietly(watcher);
            return;
        }
        try {
            watcher.configureBlocking(false);
            // Finds watchers whose machine is gone.
            watcher.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            watcher.register(selector, SelectionKey.OP_READ, (Ready) () -> dropIfHeard(watcher));
            watcher.write(greeting(process));
            watchers.add(watcher);
        } catch (IOException gone) {
            drop(watcher);
        }
    }

    static ByteBuffer greeting(UUID process) {
        return ByteBuffer.allocate(GREETING_BYTES)
                .putInt(MAGIC)
                .putLong(process.getMostSignificantBits())
                .putLong(process.getLeastSignificantBits())
                .flip();
    }

    /** A watcher says nothing. What can be read is the end of the connection, or comes from a stranger. */
    private void dropIfHeard(SocketChannel watcher) {
        try {
            if (watcher.read(ByteBuffer.allocate(1)) != 0) {
                drop(watcher);
            }
        } catch (IOException gone) {
            drop(watcher);
        }
    }

    private void drop(SocketChannel watcher) {
        watchers.remove(watcher);
        closeQuietly(watcher);
    }

    private void sayFarewell() {
        for (SocketChannel watcher : watchers) {
            try {
                watcher.write(ByteBuffer.wrap(new byte[] {FAREWELL}));
            } catch (IOException gone) {
                log.debug("A watcher has gone before", gone);
            }
            closeQuietly(watcher);
        }
        new ArrayList<>(watches).forEach(Watch::end);
        synchronized (this) {
            if (listening != null) {
                closeQuietly(listening);
            }
        }
    }

    private static void closeQuietly(AutoCloseable socket) {
        try {
            socket.close();
        } catch (Exception failure) {
            log.debug("A socket of the port for liveness was not closed", failure);
        }
    }

    /** The connection to another process. */
    private final class Watch implements Subscription, Ready {
        private final Address other;
        private final Runnable onProof;
        private final ByteBuffer heard = ByteBuffer.allocate(GREETING_BYTES + 1);
        private InetSocketAddress resolved;
        private SocketChannel socket;
        private boolean isTimed;
        private long due;
        private int triedSoon;
        /** True if the process has answered at its address at least once. */
        private boolean wasThere;

        Watch(Address other, Runnable onProof) {
            this.other = other;
            this.onProof = onProof;
        }

        @Override
        public void close() {
            if (selector != null) {
                execute(this::end);
            }
        }

        private void end() {
            watches.remove(this);
            disconnect();
        }

        private void disconnect() {
            if (socket != null) {
                closeQuietly(socket);
                socket = null;
            }
        }

        private void connect() {
            if (!watches.contains(this)) {
                return;
            }
            disconnect();
            heard.clear();
            within(CONNECT_WITHIN_NANOS);
            try {
                resolved = resolved == null || resolved.isUnresolved()
                        ? new InetSocketAddress(other.host(), other.port())
                        : resolved;
                socket = SocketChannel.open();
                socket.configureBlocking(false);
                socket.register(selector, SelectionKey.OP_CONNECT, this);
                if (socket.connect(resolved)) {
                    connected();
                }
            } catch (ConnectException refused) {
                refused();
            } catch (IOException | RuntimeException unreachable) {
                retry(RETRY_NANOS);
            }
        }

        @Override
        public void ready() {
            try {
                if (socket.isConnectionPending()) {
                    socket.finishConnect();
                    connected();
                } else {
                    read();
                }
            } catch (ConnectException refused) {
                refused();
            } catch (IOException ended) {
                ended();
            }
        }

        private void connected() throws IOException {
            socket.register(selector, SelectionKey.OP_READ, this);
        }

        private void read() throws IOException {
            if (socket.read(heard) < 0) {
                ended();
            } else if (heard.position() > GREETING_BYTES) {
                // The farewell, or no socket of a broker.
                disconnect();
                isTimed = false;
            } else if (heard.position() == GREETING_BYTES) {
                greeted();
            }
        }

        private void greeted() {
            if (heard.duplicate().flip().equals(greeting(other.process()))) {
                wasThere = true;
                isTimed = false;
            } else {
                // Another process has the port, so the one that had it has ended.
                refused();
            }
        }

        /** The connection is over. A new one tells whether the process is there. */
        private void ended() {
            boolean wasGreeted = heard.position() >= GREETING_BYTES;
            boolean mayBeSoon = wasThere && triedSoon++ < SOON_MAX;
            if (wasGreeted && mayBeSoon) {
                connect();
            } else {
                retry(mayBeSoon ? RETRY_SOON_NANOS : RETRY_NANOS);
            }
        }

        private void refused() {
            if (wasThere) {
                end();
                onProof.run();
            } else {
                retry(RETRY_NANOS);
            }
        }

        private void retry(long afterNanos) {
            disconnect();
            within(afterNanos);
        }

        private void within(long nanos) {
            isTimed = true;
            due = System.nanoTime() + nanos;
        }

        /** Tries again what has taken too long. */
        private void look() {
            if (isTimed && System.nanoTime() - due >= 0) {
                if (socket != null) {
                    resolved = null;
                    retry(RETRY_NANOS);
                } else {
                    connect();
                }
            }
        }
    }
}
