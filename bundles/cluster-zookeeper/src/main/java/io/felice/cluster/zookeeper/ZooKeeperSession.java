package io.felice.cluster.zookeeper;

import io.felice.api.Launch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one session of a store with ZooKeeper. Continues the session of an earlier component in this process, ends the
 * session of an earlier process, and begins a new session when its own has expired.
 *
 * <p>Runs on the event thread. Any thread may call {@link #isConnected}, {@link #sessionId} and {@link #silentMs}.
 */
final class ZooKeeperSession {
    /** Called on the event thread. */
    interface Listener {
        /** A connection is made, for the first time or again, and the znodes below the root exist. */
        void connected(ZooKeeperClient client);

        /** The session is over, and its ephemeral znodes are deleted. */
        void sessionLost();
    }

    /**
     * The address of ZooKeeper, and the files of the session.
     *
     * @param connect the ensemble, {@code host:port} separated by commas; empty for the embedded server
     * @param secretFile holds the secret that gives access to the znodes; all brokers of a cluster have the same
     * @param sessionFile stores the session's id and password, so that the next process can end the session; empty for a
     *     file beside the secret
     * @param ofEnsemble how connections to an ensemble are encrypted; those to the embedded server never are
     */
    record Settings(
            String connect, int timeoutMs, Paths paths, String secretFile, String sessionFile, Encryption ofEnsemble) {
        /** @throws IllegalArgumentException if a setting cannot be used; the message is a sentence for the operator */
        void check() {
            paths.check();
            secret();
            session();
            ofEnsemble.check();
        }

        Encryption encryption() {
            return connect.isEmpty() ? Encryption.NONE : ofEnsemble;
        }

        Path secret() {
            return Path.of(secretFile).toAbsolutePath();
        }

        Path session() {
            return sessionFile.isEmpty()
                    ? secret().resolveSibling("zookeeper.session")
                    : Path.of(sessionFile).toAbsolutePath();
        }
    }

    private static final Logger log = LoggerFactory.getLogger(ZooKeeperSession.class);
    private static final Duration OLD_SESSION_ENDS_WITHIN = Duration.ofSeconds(5);
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final int PINGS_PER_SESSION = 6;

    private final Settings settings;
    private final EventThread events;
    private final LongSupplier nanoTime;
    private final Listener listener;
    private final Absence absence;
    private String embedded;
    private String connectedTo;
    private SessionFile sessionFile;
    private ZooKeeperClient client;
    private ZooKeeperClient oldSession;
    private long predecessor;
    private boolean ready;
    private boolean wasReady;
    private boolean closed;
    private volatile long answeredNanos;
    private volatile long fenceNanos;
    private volatile boolean hasConnection;
    private volatile long sessionId;

    ZooKeeperSession(Settings settings, EventThread events, LongSupplier nanoTime, Listener listener) {
        this.settings = settings;
        this.events = events;
        this.nanoTime = nanoTime;
        this.listener = listener;
        this.absence = new Absence(nanoTime);
    }

    /**
     * Opens the session, or waits until the embedded server has an address. Fails the launch if a setting cannot be
     * used.
     */
    void begin() {
        try {
            settings.check();
            sessionFile = new SessionFile(settings.session());
        } catch (IllegalArgumentException unusable) {
            closed = true;
            Launch.failed("io.felice.cluster.zookeeper.cfg: " + unusable.getMessage());
            return;
        }
        open();
    }

    void embeddedServes(String address) {
        embedded = address;
        if (client == null) {
            open();
        } else if (settings.connect().isEmpty() && !address.equals(connectedTo)) {
            moveTo(address);
        }
    }

    void embeddedIsAway(String address) {
        embedded = address.equals(embedded) ? null : embedded;
    }

    /** The client; null while there is no connection. */
    ZooKeeperClient client() {
        return ready ? client : null;
    }

    /** Whether the session was that of an earlier process on this data directory, which has ended. */
    boolean isPredecessor(long session) {
        return session != 0 && session == predecessor;
    }

    /** The name of the ensemble for the beginning of a sentence. */
    String ensemble() {
        return settings.connect().isEmpty() ? "The embedded ZooKeeper" : "ZooKeeper at " + settings.connect();
    }

    /**
     * True while the session is certainly alive: the ensemble has answered a request of {@link #ping} that was sent
     * less than two thirds of the session's time-out ago. So the method returns false before the ensemble can end the
     * session, also when a process was paused and calls the method right after it continues.
     */
    boolean isConnected() {
        return hasConnection && nanoTime.getAsLong() - answeredNanos < fenceNanos;
    }

    long sessionId() {
        return sessionId;
    }

    /** The age of the newest answered ping in milliseconds; -1 without a connection. */
    long silentMs() {
        return hasConnection ? TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - answeredNanos) : -1L;
    }

    Duration pingEvery() {
        return Duration.ofMillis(Math.max(50, settings.timeoutMs() / PINGS_PER_SESSION));
    }

    /** Pings the ensemble, and logs once a minute that there is no connection. */
    void tick() {
        if (client != null && client.isConnected()) {
            ping();
        }
        if (client != null && !ready) {
            absence.sayStill(connectedTo);
        }
    }

    /**
     * Closes the connection. Keeps the session for the next component in this process, or ends it. Counts {@code left}
     * down when that is done.
     */
    void close(boolean keepSession, CountDownLatch left) {
        closed = true;
        disconnected();
        ZooKeeperClient last = client;
        client = null;
        if (oldSession != null) {
            oldSession.detach();
            oldSession = null;
        }
        if (last == null) {
            left.countDown();
        } else if (keepSession) {
            last.detach();
            left.countDown();
        } else {
            end(last, () -> {
                sessionFile.delete();
                left.countDown();
            });
        }
    }

    private void open() {
        String address = settings.connect().isEmpty() ? embedded : settings.connect();
        if (address == null || client != null || oldSession != null || closed || sessionFile == null) {
            return;
        }
        Optional<SessionFile.Remembered> remembered = sessionFile.read();
        if (remembered.isEmpty()) {
            open(address, null);
        } else if (remembered.get().ofThisProcess()) {
            open(address, remembered.get().ticket());
        } else {
            endOldSession(address, remembered.get().ticket());
        }
    }

    private void open(String address, SessionTicket ticket) {
        try {
            byte[] secret =
                    AccessSecret.read(settings.secret(), settings.connect().isEmpty());
            client = new ZooKeeperClient(
                    address, settings.timeoutMs(), settings.encryption(), secret, ticket, this::changed, events);
            connectedTo = address;
            absence.begins();
        } catch (IOException failure) {
            notOpened(failure);
        } catch (IllegalArgumentException unusable) {
            Launch.failed("connect = " + address + " of io.felice.cluster.zookeeper is not a list of host:port: "
                    + unusable.getMessage());
        }
    }

    private void notOpened(IOException failure) {
        if (!wasReady) {
            Launch.failed(failure.getMessage());
            return;
        }
        absence.begins();
        absence.say(settings.connect(), failure.getMessage());
        events.after(RETRY, this::open);
    }

    /** Continues the session at the new address of the embedded server. */
    private void moveTo(String address) {
        SessionTicket ticket = client.ticket();
        client.detach();
        disconnected();
        open(address, ticket.sessionId() == 0 ? null : ticket);
    }

    /** Ends the session of a process that was killed, so that nobody waits for its time-out. */
    private void endOldSession(String address, SessionTicket ticket) {
        log.info("Ending the ZooKeeper {} that an earlier process left open", ticket);
        predecessor = ticket.sessionId();
        try {
            oldSession = new ZooKeeperClient(
                    address,
                    settings.timeoutMs(),
                    settings.encryption(),
                    new byte[0],
                    ticket,
                    this::oldSessionChanged,
                    events);
        } catch (IOException | IllegalArgumentException failure) {
            log.warn(
                    "The ZooKeeper {} of an earlier process cannot be ended, so it ends only by its time-out: {}",
                    ticket,
                    failure.toString());
            sessionFile.delete();
            open(address, null);
            return;
        }
        ZooKeeperClient asked = oldSession;
        events.after(OLD_SESSION_ENDS_WITHIN, () -> oldSessionEnded(asked));
    }

    private void oldSessionChanged(ZooKeeperClient old, KeeperState state) {
        if (state == KeeperState.Expired) {
            oldSessionEnded(old);
        } else if (state == KeeperState.SyncConnected) {
            end(old, () -> events.execute(() -> oldSessionEnded(old)));
        }
    }

    private void oldSessionEnded(ZooKeeperClient old) {
        if (oldSession == old) {
            oldSession = null;
            old.detach();
            sessionFile.delete();
            open();
        }
    }

    private static void end(ZooKeeperClient last, Runnable then) {
        Thread ending = new Thread(
                () -> {
                    try {
                        last.end();
                    } catch (InterruptedException interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    then.run();
                },
                "felice-cluster-zookeeper-end");
        ending.setDaemon(true);
        ending.start();
    }

    private void changed(ZooKeeperClient from, KeeperState state) {
        if (from != client) {
            return;
        }
        switch (state) {
            case SyncConnected -> connected();
            case Disconnected -> {
                disconnected();
                absence.begins();
                absence.say(connectedTo, "the connection is lost");
            }
            case Expired -> expired();
            case AuthFailed -> log.error("ZooKeeper does not accept the way in which this node authenticates");
            default -> log.debug("ZooKeeper says {}", state);
        }
    }

    private void connected() {
        sessionId = client.sessionId();
        fenceNanos = TimeUnit.MILLISECONDS.toNanos(client.timeoutMs()) * 2 / 3;
        sessionFile.write(client.ticket());
        ping();
        makeSkeleton(client);
    }

    private void disconnected() {
        ready = false;
        hasConnection = false;
    }

    private void expired() {
        log.warn("The ZooKeeper session 0x{} has expired; a new session begins", Long.toHexString(sessionId));
        disconnected();
        client.abandon();
        client = null;
        sessionFile.delete();
        listener.sessionLost();
        open();
    }

    /** Creates the parent znodes, then tells the listener that there is a connection. */
    private void makeSkeleton(ZooKeeperClient at) {
        Code[] worst = {Code.OK};
        for (String path : settings.paths().skeleton()) {
            at.create(path, new byte[0], CreateMode.PERSISTENT, (code, stat) -> {
                if (code != Code.OK && code != Code.NODEEXISTS && worst[0] == Code.OK) {
                    worst[0] = code;
                }
            });
        }
        at.sync(settings.paths().root(), (code, nothing) -> {
            if (worst[0] == Code.NOAUTH) {
                refused();
            } else if (code == Code.OK && worst[0] == Code.OK) {
                skeletonIsThere(at);
            } else if (!ZooKeeperClient.isUnknown(code) && !ZooKeeperClient.isUnknown(worst[0])) {
                log.error(
                        "ZooKeeper cannot be used: it refuses the first operations of this node with {}",
                        worst[0] == Code.OK ? code : worst[0]);
            }
        });
    }

    private void refused() {
        String sentence = "ZooKeeper keeps " + settings.paths().root() + " under another secret than the one in "
                + settings.secret() + "; use the secret of the cluster, or another root.";
        if (wasReady) {
            log.error("{}", sentence);
        } else {
            Launch.failed(sentence);
        }
    }

    private void skeletonIsThere(ZooKeeperClient at) {
        if (at != client || closed) {
            return;
        }
        ready = true;
        if (absence.ends() || !wasReady) {
            log.info("Connected to ZooKeeper at {} in session 0x{}", connectedTo, Long.toHexString(sessionId));
        }
        wasReady = true;
        listener.connected(at);
    }

    private void ping() {
        ZooKeeperClient asked = client;
        long sent = nanoTime.getAsLong();
        asked.sync(settings.paths().root(), (code, nothing) -> {
            boolean answered = code == Code.OK || code == Code.NONODE || code == Code.NOAUTH;
            if (answered && asked == client) {
                answeredNanos = sent;
                hasConnection = true;
            }
        });
    }
}
