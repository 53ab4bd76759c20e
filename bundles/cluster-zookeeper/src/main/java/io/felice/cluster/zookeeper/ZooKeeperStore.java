package io.felice.cluster.zookeeper;

import io.felice.api.Launch;
import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.config.ReadOnce;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.zookeeper.EmbeddedZooKeeper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster's truth on ZooKeeper, over one session.
 *
 * <p>All state belongs to one event thread; ZooKeeper's answers and events are brought there, and nothing on it waits.
 * While there is no connection everything pauses; with a connection of the same session everything looks again; a new
 * session registers and campaigns anew. When the component ends but the framework goes on (the bundle is being updated)
 * the session stays, for the next one to go on with; when the framework stops, the session ends and the broker leaves at
 * once.
 */
@Component(
        service = {ClusterStore.class, StatusSource.class},
        immediate = true,
        configurationPid = "io.felice.cluster.zookeeper")
@Designate(ocd = ZooKeeperStore.Config.class)
public final class ZooKeeperStore implements ClusterStore, StatusSource {

    /** Which ensemble keeps the cluster's truth, and how this node shows that it may. */
    @ObjectClassDefinition(name = "Felice: cluster on ZooKeeper")
    public @interface Config {
        @AttributeDefinition(
                description =
                        "The ensemble, host:port with commas between; empty for the server embedded in this node.")
        String connect() default "";

        @AttributeDefinition(
                description = "How long the ensemble waits for a silent broker before it is gone, in milliseconds.",
                min = "1000")
        int session_timeout_ms() default 18_000;

        @AttributeDefinition(description = "The znode below which everything is.")
        String root() default "/felice";

        @AttributeDefinition(
                description = "The file with the secret that all brokers of a cluster share; made on first use with the"
                        + " embedded server.")
        String secret_file() default "data/zookeeper.secret";

        @AttributeDefinition(
                description = "Where the session is remembered, for updates and after a crash; empty for a file beside"
                        + " the secret.")
        String session_file() default "";
    }

    private static final Logger log = LoggerFactory.getLogger(ZooKeeperStore.class);
    private static final Duration OLD_SESSION_ENDS_WITHIN = Duration.ofSeconds(5);
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);
    private static final Duration LAST_ANSWERS_WITHIN = Duration.ofMillis(500);
    private static final int PINGS_PER_SESSION = 6;

    private final Config inForce;
    private final String connect;
    private final int timeoutMs;
    private final Paths paths;
    private final Path secretFile;
    private final SessionFile sessionFile;
    private final LongSupplier nanoTime;
    private final EventThread events = new EventThread();
    private final MetadataLogWriter.Counters counters = new MetadataLogWriter.Counters();
    private final ControllerSeen controller;
    private final List<Actor> actors = new ArrayList<>();
    private final Set<String> campaigns = ConcurrentHashMap.newKeySet();
    private String embedded;
    private String connectedTo;
    private ZooKeeperClient client;
    private ZooKeeperClient oldSession;
    private boolean ready;
    private boolean wasReady;
    private boolean closed;
    private volatile long answeredNanos;
    private volatile long fenceNanos;
    private volatile boolean hasConnection;
    private volatile long sessionId;
    private volatile MetadataLogReader first;

    @Activate
    public ZooKeeperStore(Config config) {
        this(config, System::nanoTime);
    }

    ZooKeeperStore(Config config, LongSupplier nanoTime) {
        this.inForce = config;
        this.connect = config.connect().trim();
        this.timeoutMs = config.session_timeout_ms();
        this.paths = paths(config.root());
        this.secretFile = Path.of(config.secret_file()).toAbsolutePath();
        this.sessionFile = new SessionFile(
                config.session_file().isEmpty()
                        ? secretFile.resolveSibling("zookeeper.session")
                        : Path.of(config.session_file()).toAbsolutePath());
        this.nanoTime = nanoTime;
        this.controller = new ControllerSeen(paths);
        actors.add(controller);
        events.execute(this::open);
        events.after(pingEvery(), this::tick);
    }

    /** Another ensemble or session is for the operator to ask for. */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.cluster.zookeeper", Config.class, inForce, wanted, Set.of());
    }

    /** The embedded server serves. */
    @Reference(
            name = "embedded",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(EmbeddedZooKeeper server) {
        String address = server.connectString();
        events.execute(() -> {
            embedded = address;
            if (client == null) {
                open();
            } else if (connect.isEmpty() && !address.equals(connectedTo)) {
                moveTo(address);
            }
        });
    }

    /** The embedded server is away; the session waits for its return. */
    public void unbind(EmbeddedZooKeeper server) {
        String address = server.connectString();
        events.execute(() -> embedded = address.equals(embedded) ? null : embedded);
    }

    @Deactivate
    void deactivate() {
        close(!isFrameworkStopping());
    }

    /** Ends the component; the session is kept for the next one in this process, or ended. Idempotent. */
    void close(boolean keepSession) {
        CountDownLatch left = new CountDownLatch(1);
        if (!events.offer(() -> beginClose(keepSession, left))) {
            return;
        }
        try {
            if (!left.await(CLOSE_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
                log.warn("ZooKeeper does not answer; its session is left to time out");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        events.end(CLOSE_WITHIN);
    }

    @Override
    public Subscription follow(Follower follower) {
        MetadataLogReader reader = new MetadataLogReader(paths, follower, events, this::remove);
        events.execute(() -> {
            first = first == null ? reader : first;
            add(reader);
        });
        return reader;
    }

    @Override
    public Subscription register(BrokerRegistration broker, RegistrationListener listener) {
        Registration registration = new Registration(paths, broker, listener, events, this::linger);
        events.execute(() -> add(registration));
        return registration;
    }

    @Override
    public Subscription campaign(Candidate candidate) {
        String id = UUID.randomUUID().toString();
        campaigns.add(id);
        Election election =
                new Election(paths, candidate, id, events, counters, campaigns::contains, this::brokerId, this::remove);
        events.execute(() -> add(election));
        return election;
    }

    /**
     * True while the session is certainly alive: it was answered for, by way of the ensemble's leader, not longer ago than
     * two thirds of its time-out, counted from when the question was sent. So this turns false before anybody can hold
     * the broker for dead, also in a process that was stopped for a while and is asked right after it goes on.
     */
    @Override
    public boolean isConnected() {
        return hasConnection && nanoTime.getAsLong() - answeredNanos < fenceNanos;
    }

    @Override
    public Optional<Integer> controllerId() {
        return controller.brokerId();
    }

    @Override
    public List<StatusTable> tables() {
        MetadataLogReader reader = first;
        return List.of(new StatusTable(
                "cluster",
                List.of(
                        "store",
                        "connected",
                        "session",
                        "silent.ms",
                        "version",
                        "log.znodes",
                        "snapshot.version",
                        "read.bytes",
                        "written.bytes",
                        "changes",
                        "batches",
                        "readbacks",
                        "snapshots"),
                List.of(List.of(
                        "zookeeper",
                        isConnected(),
                        "0x" + Long.toHexString(sessionId),
                        hasConnection ? (nanoTime.getAsLong() - answeredNanos) / 1_000_000 : -1L,
                        reader == null ? -1L : reader.applied(),
                        reader == null ? -1L : reader.znodes(),
                        reader == null ? -1L : reader.snapshot(),
                        reader == null ? 0L : reader.bytes(),
                        counters.bytes.sum(),
                        counters.changes.sum(),
                        counters.batches.sum(),
                        counters.readbacks.sum(),
                        counters.snapshots.sum()))));
    }

    long sessionId() {
        return sessionId;
    }

    private static Paths paths(String root) {
        try {
            return new Paths(root);
        } catch (IllegalArgumentException unusable) {
            Launch.failed("io.felice.cluster.zookeeper: " + unusable.getMessage());
            throw unusable;
        }
    }

    private static boolean isFrameworkStopping() {
        Bundle bundle = FrameworkUtil.getBundle(ZooKeeperStore.class);
        return bundle != null
                && bundle.getBundleContext() != null
                && bundle.getBundleContext().getBundle(0).getState() == Bundle.STOPPING;
    }

    private Duration pingEvery() {
        return Duration.ofMillis(Math.max(50, timeoutMs / PINGS_PER_SESSION));
    }

    private void add(Actor actor) {
        actors.add(actor);
        if (ready) {
            actor.connected(client);
        }
    }

    private void remove(Actor actor) {
        actors.remove(actor);
        if (actor instanceof Election election) {
            campaigns.remove(election.id());
        }
        if (actor == first) {
            first = actors.stream()
                    .filter(MetadataLogReader.class::isInstance)
                    .map(MetadataLogReader.class::cast)
                    .findFirst()
                    .orElse(null);
        }
    }

    /** A broker that registers again soon, because its bundle was updated, is not seen to leave. */
    private void linger(Registration left) {
        remove(left);
        events.after(Duration.ofMillis(timeoutMs / 2), () -> {
            boolean isBack =
                    actors.stream().anyMatch(a -> a instanceof Registration r && r.brokerId() == left.brokerId());
            if (!isBack && ready) {
                left.withdraw(client);
            }
        });
    }

    private OptionalInt brokerId() {
        return actors.stream()
                .filter(Registration.class::isInstance)
                .map(Registration.class::cast)
                .filter(Registration::isRegistered)
                .mapToInt(Registration::brokerId)
                .findFirst();
    }

    // ---- the session ----

    private void open() {
        String address = connect.isEmpty() ? embedded : connect;
        if (address == null || client != null || oldSession != null || closed) {
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
            byte[] secret = Secret.read(secretFile, connect.isEmpty());
            client = new ZooKeeperClient(address, timeoutMs, secret, ticket, this::changed, events);
            connectedTo = address;
        } catch (IOException failure) {
            if (wasReady) {
                log.error("{}; trying again", failure.getMessage());
                events.after(RETRY, this::open);
            } else {
                Launch.failed(failure.getMessage());
            }
        } catch (IllegalArgumentException unusable) {
            Launch.failed("connect = " + address + " of io.felice.cluster.zookeeper is not a list of host:port: "
                    + unusable.getMessage());
        }
    }

    /** The embedded server came back elsewhere. */
    private void moveTo(String address) {
        SessionTicket ticket = client.ticket();
        client.detach();
        disconnected();
        open(address, ticket.sessionId() == 0 ? null : ticket);
    }

    /** A process before this one was killed: its session need not time out. */
    private void endOldSession(String address, SessionTicket ticket) {
        log.info("Ending the {} of an earlier process", ticket);
        try {
            oldSession = new ZooKeeperClient(address, timeoutMs, new byte[0], ticket, this::oldSessionChanged, events);
        } catch (IOException | IllegalArgumentException failure) {
            log.warn("It is left to time out: {}", failure.toString());
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
            Thread ending = new Thread(
                    () -> {
                        try {
                            old.end();
                        } catch (InterruptedException interrupted) {
                            Thread.currentThread().interrupt();
                        }
                        events.execute(() -> oldSessionEnded(old));
                    },
                    "felice-cluster-zookeeper-end");
            ending.setDaemon(true);
            ending.start();
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

    private void changed(ZooKeeperClient from, KeeperState state) {
        if (from != client) {
            return;
        }
        switch (state) {
            case SyncConnected -> connected();
            case Disconnected -> {
                log.info("The connection to ZooKeeper is lost");
                disconnected();
            }
            case Expired -> expired();
            case AuthFailed -> log.error("ZooKeeper does not accept this node's way to authenticate");
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
        log.warn("Session 0x{} is over; beginning a new one", Long.toHexString(sessionId));
        disconnected();
        client.abandon();
        client = null;
        sessionFile.delete();
        List.copyOf(actors).forEach(Actor::sessionLost);
        open();
    }

    /** What must exist; then everything may look. */
    private void makeSkeleton(ZooKeeperClient at) {
        List<String> skeleton = paths.skeleton();
        Code[] worst = {Code.OK};
        for (String path : skeleton) {
            at.create(path, new byte[0], CreateMode.PERSISTENT, (code, stat) -> {
                if (code != Code.OK && code != Code.NODEEXISTS && worst[0] == Code.OK) {
                    worst[0] = code;
                }
            });
        }
        at.sync(paths.root(), (code, nothing) -> {
            if (worst[0] == Code.NOAUTH) {
                refused();
            } else if (code == Code.OK && worst[0] == Code.OK) {
                begin(at);
            } else if (!ZooKeeperClient.isUnknown(code) && !ZooKeeperClient.isUnknown(worst[0])) {
                log.error("ZooKeeper cannot be used: {}", worst[0] == Code.OK ? code : worst[0]);
            }
        });
    }

    private void refused() {
        String sentence = "ZooKeeper keeps " + paths.root() + " for somebody with another secret than the one in "
                + secretFile + "; use the secret of the cluster, or another root.";
        if (wasReady) {
            log.error("{}", sentence);
        } else {
            Launch.failed(sentence);
        }
    }

    private void begin(ZooKeeperClient at) {
        if (at != client || closed) {
            return;
        }
        ready = true;
        wasReady = true;
        log.info("Connected to ZooKeeper at {} in session 0x{}", connectedTo, Long.toHexString(sessionId));
        List.copyOf(actors).forEach(actor -> actor.connected(at));
    }

    private void tick() {
        if (closed) {
            return;
        }
        if (client != null && client.isConnected()) {
            ping();
        }
        if (ready) {
            List.copyOf(actors).forEach(Actor::tick);
        }
        events.after(pingEvery(), this::tick);
    }

    private void ping() {
        ZooKeeperClient asked = client;
        long sent = nanoTime.getAsLong();
        asked.sync(paths.root(), (code, nothing) -> {
            boolean answered = code == Code.OK || code == Code.NONODE || code == Code.NOAUTH;
            if (answered && asked == client) {
                answeredNanos = sent;
                hasConnection = true;
            }
        });
    }

    // ---- the end ----

    private void beginClose(boolean keepSession, CountDownLatch left) {
        closed = true;
        List<Election> elections = elections();
        elections.forEach(Election::close);
        long deadline = nanoTime.getAsLong() + LAST_ANSWERS_WITHIN.toNanos();
        events.execute(() -> closeOnceAnswered(keepSession, left, deadline));
    }

    private List<Election> elections() {
        return actors.stream()
                .filter(Election.class::isInstance)
                .map(Election.class::cast)
                .toList();
    }

    /** Resignations and the batch in flight get a moment to be answered. */
    private void closeOnceAnswered(boolean keepSession, CountDownLatch left, long deadline) {
        boolean waits = ready && !elections().isEmpty() && nanoTime.getAsLong() < deadline;
        if (waits) {
            events.after(Duration.ofMillis(2), () -> closeOnceAnswered(keepSession, left, deadline));
            return;
        }
        elections().forEach(Election::abandon);
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
            end(last, left);
        }
    }

    private void end(ZooKeeperClient last, CountDownLatch left) {
        Thread ending = new Thread(
                () -> {
                    try {
                        last.end();
                        sessionFile.delete();
                    } catch (InterruptedException interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    left.countDown();
                },
                "felice-cluster-zookeeper-end");
        ending.setDaemon(true);
        ending.start();
    }
}
