package io.felice.network;

import io.felice.api.Launch;
import io.felice.api.cluster.Endpoints;
import io.felice.api.security.AuditLog;
import io.felice.api.security.Quotas;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
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
 * Opens the configured listeners on its own thread, and registers {@link Endpoints} once all are
 * open. Changed limits and a changed request log apply to open connections. Changed listeners or threads close all
 * connections first.
 */
@Component(
        service = {StatusSource.class, HealthSource.class},
        configurationPid = "io.felice.network",
        immediate = true)
@Designate(ocd = NetworkServer.Config.class)
public final class NetworkServer implements StatusSource, HealthSource {
    private static final Logger log = LoggerFactory.getLogger(NetworkServer.class);

    /** How long this instance waits for the instance that it replaces to release a port. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long RETRY_MS = 25;
    private static final long STOP_SECONDS = 10;

    /** How often the files with keys and certificates, and the listeners of wires, are looked at. */
    private static final long CHECK_MS = 1000;

    @ObjectClassDefinition(name = "Felice network", description = "The listeners, and the limits of connections.")
    @interface Config {
        @AttributeDefinition(
                description = "NAME://host:port, separated by commas. An empty host stands for all addresses, port 0"
                        + " for any free port.")
        String[] listeners() default {"PLAINTEXT://127.0.0.1:9092"};

        @AttributeDefinition(
                description = "NAME://host:port that clients connect to. A listener that is not listed is advertised at"
                        + " the address that it listens on.")
        String[] advertised_listeners() default {};

        @AttributeDefinition(description = "NAME:PROTOCOL for every listener whose name is not a protocol.")
        String[] listener_security_protocol_map() default {};

        @AttributeDefinition(
                description = "NAME:WIRE for every listener whose clients speak another wire than Kafka's, for example"
                        + " MQTT:mqtt. The wire comes from a plugin; the listener is open while the plugin is there. Its"
                        + " protocol is PLAINTEXT if listener.security.protocol.map does not name another.")
        String[] listener_wire_map() default {};

        @AttributeDefinition(
                description =
                        "After how long the thread is taken from a wire that does not return, in milliseconds: the"
                                + " connections of its listener are closed, and the listener gets another thread.",
                min = "1")
        long wire_timeout_ms() default 30000;

        @AttributeDefinition(
                description =
                        "SASL mechanisms, separated by commas, that clients of listeners with SASL may log in with:"
                                + " SCRAM-SHA-512,PLAIN.")
        String[] sasl_enabled_mechanisms() default {};

        @AttributeDefinition(
                description = "LISTENER:MECHANISM+MECHANISM for every listener with other mechanisms than"
                        + " sasl.enabled.mechanisms.")
        String[] listener_sasl_mechanisms_map() default {};

        @AttributeDefinition(
                description = "After how long a client has to log in again, in milliseconds; the connection of a client"
                        + " that does not is closed at its next request. 0 if clients do not have to. A client whose"
                        + " credential expires before has to log in again before that.",
                min = "0")
        long connections_max_reauth_ms() default 0;

        @AttributeDefinition(
                description =
                        "The largest message of a login in bytes; a connection that sends a larger one is closed.",
                min = "1",
                max = "524288")
        int sasl_server_max_receive_size() default 524288;

        @AttributeDefinition(
                description = "After how long the connection of a client that has not logged in is closed, in"
                        + " milliseconds.",
                min = "1")
        long sasl_login_timeout_ms() default 30000;

        @AttributeDefinition(description = "I/O threads; 0 for half the number of cores.", min = "0")
        int num_network_threads() default 0;

        @AttributeDefinition(
                description = "The largest request in bytes; a connection that sends a larger one is closed.",
                min = "1")
        int socket_request_max_bytes() default 104857600;

        @AttributeDefinition(
                description =
                        "Memory for all requests that are being received or handled, in bytes; 0 for a quarter of the"
                                + " heap.",
                min = "0")
        long request_memory_bytes() default 0;

        @AttributeDefinition(
                description = "Most requests of one connection that are handled at a time; later ones wait.",
                min = "1")
        int max_in_flight_requests_per_connection() default 64;

        @AttributeDefinition(
                description = "Most requests of all connections that are handled at a time; later ones wait.",
                min = "1")
        int max_in_flight_requests() default 50000;

        @AttributeDefinition(
                description = "Most bytes of answers that a client has not read yet. Above that, no further request of"
                        + " its connection is handled.",
                min = "1")
        long queued_response_bytes() default 4194304;

        @AttributeDefinition(
                description =
                        "Most open connections; further clients wait until one is closed. Kafka's tools can change"
                                + " the limit, and give a listener one of its own.",
                min = "1")
        int max_connections() default 20000;

        @AttributeDefinition(
                description = "Most open connections from one address; further ones are closed at once. 0 if only the"
                        + " addresses in max.connections.per.ip.overrides may connect. Kafka's tools can change it.",
                min = "0")
        int max_connections_per_ip() default 20000;

        @AttributeDefinition(
                description = "ADDRESS:NUMBER, separated by commas: most open connections of this address, in place of"
                        + " max.connections.per.ip. Kafka's tools can change it.")
        String max_connections_per_ip_overrides() default "";

        @AttributeDefinition(
                description = "Most connections that are accepted in a second; further clients wait. Kafka's tools can"
                        + " change the limit, and give a listener one of its own.",
                min = "1")
        int max_connection_creation_rate() default Integer.MAX_VALUE;

        @AttributeDefinition(
                description = "After how long without any traffic a connection is closed, in milliseconds.",
                min = "1")
        long connections_max_idle_ms() default 600000;

        @AttributeDefinition(
                description = "After how long an answer that the client does not read closes its connection, in"
                        + " milliseconds. Unread answers keep log files open.",
                min = "1")
        long response_stalled_ms() default 300000;

        @AttributeDefinition(
                description = "How long a request waits for its handler while a bundle is being replaced, in"
                        + " milliseconds.",
                min = "0")
        long held_requests_ms() default 15000;

        @AttributeDefinition(
                description = "Most connections that wait for a handler at a time; requests of further ones get a"
                        + " retriable error.",
                min = "0")
        int held_requests() default 10000;

        @AttributeDefinition(
                description = "Most bytes of all connections that wait for a handler; further requests get a retriable"
                        + " error.",
                min = "0")
        long held_requests_bytes() default 33554432;

        @AttributeDefinition(
                description = "How records in log files are sent to clients: sendfile (by the kernel), buffer (through"
                        + " memory), or auto (by the kernel; to clients on this machine in the cheaper of both ways).")
        String fetch_transfer() default "auto";

        @AttributeDefinition(
                description = "For listeners of the protocols SSL and SASL_SSL: the file with the private key and the"
                        + " certificates of this node, PEM or PKCS#12. A changed file is read within seconds, and new"
                        + " connections get its certificate.")
        String ssl_keystore_location() default "";

        @AttributeDefinition(
                description = "The password of the file; file:PATH for a file whose first line is the password.")
        String ssl_keystore_password() default "";

        @AttributeDefinition(
                description = "The password of the private key, if it is another one than that of the file; file:PATH"
                        + " for a file whose first line is the password.")
        String ssl_key_password() default "";

        @AttributeDefinition(description = "PEM, PKCS12 or JKS; empty to find out from the file.")
        String ssl_keystore_type() default "";

        @AttributeDefinition(description = "The file with the certificates that sign those of clients, PEM or PKCS#12.")
        String ssl_truststore_location() default "";

        @AttributeDefinition(
                description = "The password of that file; file:PATH for a file whose first line is the password.")
        String ssl_truststore_password() default "";

        @AttributeDefinition(
                description = "Whether listeners of the protocol SSL ask clients for certificates: none, requested"
                        + " (clients without one are User:ANONYMOUS), or required.")
        String ssl_client_auth() default "none";

        @AttributeDefinition(description = "The versions of TLS, separated by commas: TLSv1.2, TLSv1.3.")
        String[] ssl_enabled_protocols() default {"TLSv1.2", "TLSv1.3"};

        @AttributeDefinition(
                description = "The cipher suites in order of preference, separated by commas, as the JDK names them;"
                        + " empty for those of the JDK.")
        String[] ssl_cipher_suites() default {};

        @AttributeDefinition(
                description = "Rules that make a user of the subject of a client's certificate, separated by commas:"
                        + " DEFAULT for the subject itself, or RULE:pattern/replacement/, with L or U after it for"
                        + " lower or upper case. The first rule whose pattern matches is used.")
        String ssl_principal_mapping_rules() default "DEFAULT";

        @AttributeDefinition(
                description = "The name of a service PrincipalMapping that makes the principal in place of the rules;"
                        + " empty for the rules.")
        String ssl_principal_mapping() default "";

        @AttributeDefinition(
                description = "After how long a TLS handshake that is not finished closes its connection, in"
                        + " milliseconds.",
                min = "1")
        long ssl_handshake_timeout_ms() default 10000;

        @AttributeDefinition(description = "Whether io.felice.network.requests logs one line for each request.")
        boolean request_log() default false;
    }

    private final BundleContext context;
    private final ApiTable apis;
    private final Throttling throttling = new Throttling();
    private final PrincipalMappings mappings;
    private final CertificateLogins logins = new CertificateLogins();
    private final Wires wires;
    private final ScheduledExecutorService lifecycle =
            Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "felice-network-lifecycle"));
    private final CountDownLatch leaving = new CountDownLatch(1);
    private volatile Server server;
    /** Why the last change of the settings was refused; null if it was not. */
    private volatile String refused;

    private ServiceRegistration<Endpoints> registration;

    @Activate
    public NetworkServer(
            BundleContext context,
            @Reference ApiTable apis,
            @Reference PrincipalMappings mappings,
            @Reference Wires wires,
            Config config) {
        this(context, apis, mappings, wires, config, CHECK_MS);
    }

    NetworkServer(
            BundleContext context,
            ApiTable apis,
            PrincipalMappings mappings,
            Wires wires,
            Config config,
            long checkMs) {
        this.context = context;
        this.apis = apis;
        this.mappings = mappings;
        this.wires = wires;
        lifecycle.execute(() -> begin(config));
        lifecycle.scheduleWithFixedDelay(this::checkListeners, checkMs, checkMs, TimeUnit.MILLISECONDS);
    }

    @Reference(
            name = "quotas",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbindQuotas")
    public void bindQuotas(Quotas quotas) {
        throttling.bind(quotas);
    }

    public void unbindQuotas(Quotas quotas) {
        throttling.unbind(quotas);
    }

    @Reference(
            name = "audit",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbindAudit")
    public void bindAudit(AuditLog audit) {
        logins.bind(audit);
    }

    public void unbindAudit(AuditLog audit) {
        logins.unbind(audit);
    }

    @Modified
    public void modified(Config config) {
        lifecycle.execute(() -> change(config));
    }

    @Deactivate
    public void deactivate() {
        leaving.countDown();
        lifecycle.execute(this::close);
        lifecycle.shutdown();
        try {
            if (!lifecycle.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                log.warn("The network does not stop within {} s", STOP_SECONDS);
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public List<StatusTable> tables() {
        Server now = server;
        return now == null ? List.of() : now.tables();
    }

    @Override
    public List<Trouble> troubles() {
        Server now = server;
        if (now == null) {
            return List.of(Trouble.ofNode("The network's listeners are not open: clients cannot connect"));
        }
        String why = refused;
        List<Trouble> troubles = new ArrayList<>(now.tls().troubles());
        troubles.addAll(now.wireListeners().troubles());
        if (why != null) {
            troubles.add(Trouble.inPart("The changed settings of io.felice.network.cfg do not apply, and the listeners"
                    + " stay as they were: " + why));
        }
        return troubles;
    }

    private void begin(Config config) {
        try {
            open(NetworkSettings.of(config));
        } catch (IllegalArgumentException | Server.CannotListen failure) {
            if (leaving.getCount() == 0) {
                return;
            }
            Launch.failed(failure.getMessage() + hint(failure));
        }
    }

    private static String hint(Exception failure) {
        boolean taken = failure instanceof Server.CannotListen && ((Server.CannotListen) failure).mayPass();
        return taken
                ? "; choose another with --port, or as listeners in io.felice.network.cfg"
                : ". See io.felice.network.cfg";
    }

    private void change(Config config) {
        try {
            NetworkSettings wanted = NetworkSettings.of(config);
            Server now = server;
            if (now != null && wanted.hasSameSockets(now.settings())) {
                now.adjust(wanted);
            } else if (now == null) {
                open(wanted);
            } else {
                reopen(now.settings(), wanted);
            }
            refused = null;
        } catch (IllegalArgumentException | Server.CannotListen failure) {
            refused = failure.getMessage();
            log.error("{}. The listeners stay as they were", refused);
        }
    }

    private void reopen(NetworkSettings before, NetworkSettings wanted) throws Server.CannotListen {
        close();
        try {
            open(wanted);
        } catch (Server.CannotListen failure) {
            open(before);
            throw failure;
        }
    }

    private void open(NetworkSettings settings) throws Server.CannotListen {
        if (leaving.getCount() == 0) {
            return;
        }
        Server opening = new Server(settings, apis, throttling, new Tls(settings, mappings, logins), wires, lifecycle);
        try {
            bind(opening);
        } catch (Server.CannotListen failure) {
            opening.stop();
            throw failure;
        }
        server = opening;
        server.wireListeners().check();
        register();
    }

    /** Without an open listener there are no endpoints. */
    private void register() {
        if (leaving.getCount() > 0 && !server.endpoints().isEmpty()) {
            ServiceRegistration<Endpoints> before = registration;
            registration = context.registerService(Endpoints.class, new OpenEndpoints(server, lifecycle), null);
            unregister(before);
        }
    }

    private static void unregister(ServiceRegistration<Endpoints> registration) {
        if (registration != null) {
            registration.unregister();
        }
    }

    /** Opens the listeners that wait for files or wires, when the files can be used and the wires are there. */
    private void checkListeners() {
        try {
            if (server != null && server.canOpenMore()) {
                server.bind();
                register();
            }
            if (server != null) {
                server.wireListeners().check();
            }
        } catch (Server.CannotListen failure) {
            log.error("{}", failure.getMessage());
        } catch (RuntimeException failure) {
            log.error("The listeners were not checked", failure);
        }
    }

    private void bind(Server opening) throws Server.CannotListen {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                opening.bind();
                return;
            } catch (Server.CannotListen failure) {
                if (!failure.mayPass() || System.nanoTime() - deadline > 0 || hasLeft()) {
                    throw failure;
                }
            }
        }
    }

    private boolean hasLeft() {
        try {
            return leaving.await(RETRY_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private void close() {
        unregister(registration);
        registration = null;
        if (server != null) {
            server.stop();
            server = null;
        }
    }
}
