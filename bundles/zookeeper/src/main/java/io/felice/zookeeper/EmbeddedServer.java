package io.felice.zookeeper;

import io.felice.api.Launch;
import io.felice.api.config.ReadOnce;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a {@link SingleServer} or an {@link EnsembleMember} running while this component is active. Registers it as
 * {@link EmbeddedZooKeeper} while it serves.
 *
 * <p>Starting and stopping run on a thread of their own, because they are slow. If the first start fails in a node that
 * has not served yet, the node cannot come up, and {@link Launch} gets the reason. A server that fails later, for
 * example because the disk is full, is started again until it stays up.
 */
@Component(service = StatusSource.class, immediate = true, configurationPid = "io.felice.zookeeper")
@Designate(ocd = EmbeddedServer.Config.class)
public final class EmbeddedServer implements StatusSource {
    private static final TableSchema STATUS = TableSchema.limits("zookeeper");

    @ObjectClassDefinition(name = "Felice: embedded ZooKeeper")
    public @interface Config {

        @AttributeDefinition(description = "Whether this node runs a ZooKeeper server of its own.")
        boolean enabled() default true;

        @AttributeDefinition(description = "The address that the server listens on.")
        String host() default "127.0.0.1";

        @AttributeDefinition(
                description = "The port that the server listens on; 0 for any free port.",
                min = "0",
                max = "65535")
        int port() default 2181;

        @AttributeDefinition(
                description =
                        "The ensemble that the server is a member of, host:port separated by commas, the same list in the"
                                + " same order on every node; empty for a server that serves alone. A member listens on"
                                + " its address in the list, and for the other members on the ports 707 and 1707 above"
                                + " (2888 and 3888 for 2181).")
        String ensemble() default "";

        @AttributeDefinition(
                description = "The position of this node in the list of the ensemble, from 1; 0 for the address that is"
                        + " one of this machine.",
                min = "0")
        int ensemble_member() default 0;

        @AttributeDefinition(description = "The directory of the server's snapshots and transaction logs.")
        String data_dir() default "data/zookeeper";

        @AttributeDefinition(
                description = "The host at which the other brokers reach the port for liveness, by which they notice at"
                        + " once that this process has ended; empty for the host of the first listener that is"
                        + " advertised.")
        String liveness_host() default "";

        @AttributeDefinition(
                description = "The port for liveness; 0 for any free port. It is open only in a cluster of several"
                        + " brokers.",
                min = "0",
                max = "65535")
        int liveness_port() default 0;

        @AttributeDefinition(
                description = "ZooKeeper's tick in milliseconds; a session's time-out is between 2 and 20 ticks.",
                min = "1")
        int tick_time_ms() default 2_000;

        @AttributeDefinition(description = "Most connections from one address; 0 for no limit.", min = "0")
        int max_client_connections() default 60;

        @AttributeDefinition(description = "Most transactions between two snapshots.", min = "2")
        int snapshot_every() default 100_000;

        @AttributeDefinition(
                description = "How many snapshots are kept, at least 3; older ones are deleted once an hour.",
                min = "3")
        int snapshot_retain() default 3;
    }

    private static final Logger log = LoggerFactory.getLogger(EmbeddedServer.class);
    private static final long RESTART_AFTER_SECONDS = 5;
    private static final long SAME_REASON_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long PURGE_EVERY_SECONDS = 3_600;
    private static final long STOP_WITHIN_SECONDS = 30;
    private static final long SAY_WAITS_EVERY_SECONDS = 60;

    private final Config inForce;
    private final ServerSettings settings;
    private final int snapshotsRetained;
    private final BundleContext bundle;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread keeper;
    private volatile RunningServer serving;
    private String reasonSaid = "";
    private long reasonSaidNanos;

    @Activate
    public EmbeddedServer(Config config, BundleContext bundle) {
        this.inForce = config;
        this.settings = new ServerSettings(
                config.host(),
                config.port(),
                Path.of(config.data_dir()).toAbsolutePath(),
                config.tick_time_ms(),
                config.max_client_connections(),
                config.snapshot_every());
        this.snapshotsRetained = config.snapshot_retain();
        this.bundle = bundle;
        this.keeper = new Thread(this::keepServing, "felice-zookeeper");
        if (config.enabled()) {
            keeper.start();
        }
    }

    /** Logs each changed setting: it takes effect at the next start of the server. */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.zookeeper", Config.class, inForce, wanted, Set.of());
    }

    @Override
    public List<StatusTable> tables() {
        RunningServer now = serving;
        if (now == null) {
            return List.of();
        }
        return List.of(STATUS.rows(
                List.of(TableSchema.limit("connections", now.connectionCount(), settings.maxClientConnections()))));
    }

    @Deactivate
    void deactivate() throws InterruptedException {
        closing.countDown();
        closeIfOpen(serving);
        keeper.join(TimeUnit.SECONDS.toMillis(STOP_WITHIN_SECONDS));
    }

    private void keepServing() {
        try {
            serveOnce(Launch.hasServed() ? this::postponed : Launch::failed);
            while (!closing.await(RESTART_AFTER_SECONDS, TimeUnit.SECONDS)) {
                serveOnce(this::postponed);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Logs why the server does not run; it is started again every few seconds. The same reason is logged once a minute.
     */
    private void postponed(String reason) {
        long now = System.nanoTime();
        if (!reason.equals(reasonSaid) || now - reasonSaidNanos >= SAME_REASON_EVERY_NANOS) {
            reasonSaid = reason;
            reasonSaidNanos = now;
            log.error("{}; trying again every {} s", reason, RESTART_AFTER_SECONDS);
        }
    }

    private void serveOnce(Consumer<String> onRefusal) throws InterruptedException {
        RunningServer server;
        try {
            server = open();
        } catch (IOException | RuntimeException e) {
            log.debug("The embedded ZooKeeper did not start", e);
            onRefusal.accept(e.getMessage());
            return;
        }
        try (server) {
            serving = server;
            serve(server);
        } catch (RuntimeException e) {
            log.debug("The embedded ZooKeeper failed", e);
            postponed("The embedded ZooKeeper failed: " + e);
        } finally {
            serving = null;
        }
    }

    private RunningServer open() throws IOException, InterruptedException {
        if (inForce.ensemble().isBlank()) {
            return SingleServer.open(settings);
        }
        Ensemble ensemble = Ensemble.of(inForce.ensemble(), inForce.ensemble_member());
        EnsembleMember member = EnsembleMember.open(settings, ensemble);
        log.info(
                "The embedded ZooKeeper is member {} ({}) of the ensemble {}",
                ensemble.self(),
                ensemble.own(),
                ensemble);
        if (ensemble.isEven()) {
            log.warn(
                    "The ensemble has {} members. It survives the loss of as many as one with {} members would: take one"
                            + " away or add one",
                    ensemble.members().size(),
                    ensemble.members().size() - 1);
        }
        if (!member.mayVote()) {
            log.warn(
                    "The embedded ZooKeeper has no data in {}. It has no vote before it has got the data of the other"
                            + " members. If the whole ensemble is new, see 'felice invite'",
                    settings.dataDirectory());
        }
        return member;
    }

    private void serve(RunningServer server) throws InterruptedException {
        awaitServing(server);
        ServiceRegistration<EmbeddedZooKeeper> registration =
                bundle.registerService(EmbeddedZooKeeper.class, server, null);
        log.info(
                "The embedded ZooKeeper serves on {} with its data in {}",
                server.connectString(),
                settings.dataDirectory());
        try {
            do {
                purge(server);
            } while (closing.getCount() > 0 && !server.awaitEnd(PURGE_EVERY_SECONDS, TimeUnit.SECONDS));
        } finally {
            registration.unregister();
        }
        if (closing.getCount() > 0) {
            log.error("The embedded ZooKeeper has failed and is started again; the log has its own messages above");
        }
    }

    private void awaitServing(RunningServer server) throws InterruptedException {
        while (!server.awaitServing(SAY_WAITS_EVERY_SECONDS, TimeUnit.SECONDS)
                && !server.awaitEnd(0, TimeUnit.SECONDS)) {
            log.warn(
                    "The embedded ZooKeeper waits: it does not reach a majority of the ensemble {}",
                    server.connectString());
        }
    }

    private void purge(RunningServer server) {
        try {
            server.purge(snapshotsRetained);
        } catch (IOException e) {
            log.warn(
                    "Old snapshots of the embedded ZooKeeper in {} were not deleted; the next attempt is in an hour",
                    settings.dataDirectory(),
                    e);
        }
    }

    private static void closeIfOpen(RunningServer server) {
        if (server != null) {
            server.close();
        }
    }
}
