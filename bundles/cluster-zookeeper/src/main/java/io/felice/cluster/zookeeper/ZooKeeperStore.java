package io.felice.cluster.zookeeper;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.config.ReadOnce;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import io.felice.zookeeper.EmbeddedZooKeeper;
import io.felice.zookeeper.Liveness;
import java.time.Duration;
import java.time.Instant;
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
import java.util.stream.Stream;
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
 * The cluster store on ZooKeeper, over one session.
 *
 * <p>All state belongs to one event thread. ZooKeeper's answers and events run on it, and no task on it waits. Without
 * a connection every {@link Actor} pauses. At a new connection of the same session every actor reads its znodes again.
 * In a new session every actor registers or stands for election again. When the bundle is updated, the session stays,
 * and the next component continues it. When the framework stops, the session ends, so that the broker leaves the
 * cluster at once.
 */
@Component(
        service = {ClusterStore.class, StatusSource.class, HealthSource.class},
        immediate = true,
        configurationPid = "io.felice.cluster.zookeeper")
@Designate(ocd = ZooKeeperStore.Config.class)
public final class ZooKeeperStore implements ClusterStore, StatusSource, HealthSource {
    private static final TableSchema STATUS = TableSchema.of("cluster", "The store of the cluster's metadata")
            .label("store", "What keeps the metadata")
            .gauge("connected", "Whether the store answers")
            .text("session", "The id of the session with ZooKeeper")
            .gauge("silent.ms", Unit.MILLISECONDS, "How long ZooKeeper has said nothing")
            .gauge("version", "The version of the metadata that this node has read; -1 if it has read nothing")
            .gauge("log.znodes", "Batches of the metadata log in ZooKeeper; -1 if unknown")
            .gauge("snapshot.version", "The version of the newest snapshot; -1 if there is none")
            .counter("read.bytes", Unit.BYTES, "Bytes of metadata that were read")
            .counter("written.bytes", Unit.BYTES, "Bytes of metadata that were written")
            .counter("changes", "Changes that were written")
            .counter("batches", "Batches that the changes were written in")
            .counter("readbacks", "Batches that were read back, because it was unknown whether they had been written")
            .counter("snapshots", "Snapshots that were written");

    @ObjectClassDefinition(name = "Felice: cluster on ZooKeeper")
    public @interface Config {
        @AttributeDefinition(
                description =
                        "The ZooKeeper ensemble, host:port separated by commas; empty for the server embedded in this"
                                + " node.")
        String connect() default "";

        @AttributeDefinition(
                description = "After how long without a sign of life the ensemble declares this broker dead, in"
                        + " milliseconds.",
                min = "1000")
        int session_timeout_ms() default 18_000;

        @AttributeDefinition(description = "The znode below which all znodes of the cluster are.")
        String root() default "/felice";

        @AttributeDefinition(
                description = "The file with the secret that all brokers of a cluster share. With the embedded server"
                        + " it is created if it is missing.")
        String secret_file() default "data/zookeeper.secret";

        @AttributeDefinition(
                description = "The file that stores the session for the next start and for updates of the bundle; empty"
                        + " for a file beside the secret.")
        String session_file() default "";

        @AttributeDefinition(
                description =
                        "Whether connections to the ensemble are encrypted. Those to the embedded server never are.")
        boolean ssl() default false;

        @AttributeDefinition(
                description =
                        "The file with the certificates that the servers of the ensemble are checked against: .jks,"
                                + " .p12 or .pem.")
        String ssl_truststore_location() default "";

        @AttributeDefinition(description = "The file with the password of that file; empty if it has none.")
        String ssl_truststore_password_file() default "";

        @AttributeDefinition(
                description = "The file with this node's own certificate and key; empty if the servers ask for none.")
        String ssl_keystore_location() default "";

        @AttributeDefinition(description = "The file with the password of that file; empty if it has none.")
        String ssl_keystore_password_file() default "";

        @AttributeDefinition(
                description = "Whether the certificate of a server must have the host name that this node connects to.")
        boolean ssl_hostname_verification() default true;
    }

    private static final Logger log = LoggerFactory.getLogger(ZooKeeperStore.class);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);
    private static final Duration LAST_ANSWERS_WITHIN = Duration.ofMillis(500);

    private final Config inForce;
    private final Paths paths;
    private final LongSupplier nanoTime;
    private final EventThread events = new EventThread();
    private final ZooKeeperSession session;
    private final MetadataLogWriter.Counters counters = new MetadataLogWriter.Counters();
    private final ControllerSeen controller;
    private final List<Actor> actors = new ArrayList<>();
    private final Set<String> campaigns = ConcurrentHashMap.newKeySet();
    private boolean closed;
    private volatile MetadataLogReader first;
    /** Why nothing is decided any more; empty as long as the ensemble has what it had. */
    private volatile Optional<String> lost = Optional.empty();

    @Activate
    public ZooKeeperStore(Config config) {
        this(config, System::nanoTime);
    }

    ZooKeeperStore(Config config, LongSupplier nanoTime) {
        this.inForce = config;
        this.paths = new Paths(config.root());
        this.nanoTime = nanoTime;
        this.session = new ZooKeeperSession(
                new ZooKeeperSession.Settings(
                        config.connect().trim(),
                        config.session_timeout_ms(),
                        paths,
                        config.secret_file(),
                        config.session_file(),
                        Encryption.of(config)),
                events,
                nanoTime,
                new SessionEvents());
        this.controller = new ControllerSeen(paths);
        actors.add(controller);
        actors.add(new MetadataLogCheck(paths, this::damaged));
        events.execute(session::begin);
        events.after(session.pingEvery(), this::tick);
    }

    /** Logs each changed setting: it takes effect at the next start of the component. */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.cluster.zookeeper", Config.class, inForce, wanted, Set.of());
    }

    /** Without it, the end of a process is known only at the end of its session. */
    @Reference(
            name = "liveness",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbindLiveness")
    public void bindLiveness(Liveness liveness) {
        events.execute(() -> {
            if (!closed) {
                add(new Neighbours(paths, liveness, events, this::ownBroker, () -> elections().stream()
                        .findFirst()));
            }
        });
    }

    public void unbindLiveness(Liveness liveness) {
        events.execute(
                () -> neighbours().filter(one -> one.uses(liveness)).toList().forEach(one -> {
                    one.close();
                    remove(one);
                }));
    }

    private Stream<Neighbours> neighbours() {
        return actors.stream().filter(Neighbours.class::isInstance).map(Neighbours.class::cast);
    }

    @Reference(
            name = "embedded",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(EmbeddedZooKeeper server) {
        String address = server.connectString();
        events.execute(() -> session.embeddedServes(address));
    }

    /** The session waits for the return of the embedded server. */
    public void unbind(EmbeddedZooKeeper server) {
        String address = server.connectString();
        events.execute(() -> session.embeddedIsAway(address));
    }

    @Deactivate
    void deactivate() {
        close(!isFrameworkStopping());
    }

    /**
     * Ends the component. Ends the session too, unless {@code keepSession} is true because the next component continues
     * it. Idempotent.
     */
    void close(boolean keepSession) {
        CountDownLatch left = new CountDownLatch(1);
        if (!events.offer(() -> beginClose(keepSession, left))) {
            return;
        }
        try {
            if (!left.await(CLOSE_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
                log.warn("ZooKeeper does not answer, so the session of this node ends only by its time-out");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        events.end(CLOSE_WITHIN);
    }

    @Override
    public Subscription follow(Follower follower) {
        MetadataLogReader reader = new MetadataLogReader(paths, follower, events, this::remove, this::lost);
        events.execute(() -> {
            first = first == null ? reader : first;
            add(reader);
        });
        return reader;
    }

    @Override
    public Subscription register(BrokerRegistration broker, RegistrationListener listener) {
        Registration registration =
                new Registration(paths, broker, listener, events, session::isPredecessor, this::linger);
        events.execute(() -> add(registration));
        return registration;
    }

    @Override
    public Subscription campaign(Candidate candidate) {
        String id = UUID.randomUUID().toString();
        campaigns.add(id);
        Election election =
                new Election(paths, candidate, id, events, counters, campaigns::contains, this::brokerId, this::remove);
        events.execute(() -> {
            add(election);
            if (lost.isPresent()) {
                election.close();
            }
        });
        return election;
    }

    @Override
    public Duration sessionTimeout() {
        return Duration.ofMillis(inForce.session_timeout_ms());
    }

    @Override
    public boolean isConnected() {
        return session.isConnected();
    }

    @Override
    public Optional<Integer> controllerId() {
        return controller.brokerId();
    }

    @Override
    public Optional<Instant> controllerSince() {
        return controller.since();
    }

    @Override
    public boolean isControllerElsewhere() {
        return controller.isElsewhere();
    }

    @Override
    public List<Trouble> troubles() {
        if (!isConnected()) {
            return List.of(Trouble.inPart(session.ensemble()
                    + " does not answer: partitions are still served, but topics and settings cannot be changed"));
        }
        return lost.map(Trouble::inPart).map(List::of).orElse(List.of());
    }

    @Override
    public List<StatusTable> tables() {
        MetadataLogReader reader = first;
        return List.of(STATUS.rows(List.of(List.of(
                "zookeeper",
                isConnected(),
                "0x" + Long.toHexString(session.sessionId()),
                session.silentMs(),
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
        return session.sessionId();
    }

    private static boolean isFrameworkStopping() {
        Bundle bundle = FrameworkUtil.getBundle(ZooKeeperStore.class);
        return bundle != null
                && bundle.getBundleContext() != null
                && bundle.getBundleContext().getBundle(0).getState() == Bundle.STOPPING;
    }

    /** Passes the events of the session to all actors. */
    private final class SessionEvents implements ZooKeeperSession.Listener {
        @Override
        public void connected(ZooKeeperClient client) {
            List.copyOf(actors).forEach(actor -> actor.connected(client));
        }

        @Override
        public void sessionLost() {
            List.copyOf(actors).forEach(Actor::sessionLost);
        }
    }

    private void tick() {
        if (closed) {
            return;
        }
        session.tick();
        if (session.client() != null) {
            List.copyOf(actors).forEach(Actor::tick);
        }
        events.after(session.pingEvery(), this::tick);
    }

    /** No candidate of this store decides any more: what it knows is not what the ensemble has. */
    private void lost(String sentence) {
        if (lost.isEmpty()) {
            lost = Optional.of(sentence);
            log.error("{}", sentence);
            elections().forEach(Election::close);
        }
    }

    private void damaged(String what) {
        elections().forEach(election -> election.damaged(what));
    }

    private void add(Actor actor) {
        actors.add(actor);
        if (session.client() != null) {
            actor.connected(session.client());
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

    /**
     * Deletes the registration after half the session's time-out, unless the broker has registered again because its
     * bundle was updated.
     */
    private void linger(Registration left) {
        remove(left);
        events.after(Duration.ofMillis(inForce.session_timeout_ms() / 2), () -> {
            boolean isBack = registrations()
                    .anyMatch(
                            there -> there.broker().brokerId() == left.broker().brokerId());
            if (!isBack && session.client() != null) {
                left.withdraw(session.client());
            }
        });
    }

    private OptionalInt brokerId() {
        return registrations()
                .filter(Registration::isRegistered)
                .mapToInt(registration -> registration.broker().brokerId())
                .findFirst();
    }

    private Optional<BrokerRegistration> ownBroker() {
        return registrations().map(Registration::broker).findFirst();
    }

    private Stream<Registration> registrations() {
        return actors.stream().filter(Registration.class::isInstance).map(Registration.class::cast);
    }

    private void beginClose(boolean keepSession, CountDownLatch left) {
        closed = true;
        elections().forEach(Election::close);
        long deadline = nanoTime.getAsLong() + LAST_ANSWERS_WITHIN.toNanos();
        neighbours().forEach(Neighbours::close);
        events.execute(() -> closeOnceAnswered(keepSession, left, deadline));
    }

    private List<Election> elections() {
        return actors.stream()
                .filter(Election.class::isInstance)
                .map(Election.class::cast)
                .toList();
    }

    /**
     * Waits at most {@link #LAST_ANSWERS_WITHIN} for the answers to resignations and to the batch in flight, then
     * closes the session.
     */
    private void closeOnceAnswered(boolean keepSession, CountDownLatch left, long deadline) {
        boolean waits = session.client() != null && !elections().isEmpty() && nanoTime.getAsLong() < deadline;
        if (waits) {
            events.after(Duration.ofMillis(2), () -> closeOnceAnswered(keepSession, left, deadline));
            return;
        }
        elections().forEach(Election::abandon);
        session.close(keepSession, left);
    }
}
