package io.felice.replication;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Peers;
import io.felice.api.config.Configs;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.security.Requester;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of this broker to the other brokers. A changed setting applies at once; a change of the identity of
 * this broker makes the connections anew.
 */
@Component(
        service = {Peers.class, StatusSource.class, HealthSource.class},
        configurationPid = "io.felice.replication",
        immediate = true)
@Designate(ocd = Replication.Config.class)
public final class Replication implements Peers, StatusSource, HealthSource {
    private static final Logger log = LoggerFactory.getLogger(Replication.class);

    /** A broker that is away for longer is a trouble. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final TableSchema LIMITS = TableSchema.limits("replication.limits");
    private static final TableSchema PEERS = TableSchema.of("replication.peers", "Connections to other brokers")
            .label("broker", "The id of the other broker")
            .label("connection", "What it is for: controller for requests to its controller, fetch for records")
            .text("address", "The host and port of the other broker")
            .text("state", "idle, connecting, connected, refused (the login or the certificate), or away")
            .gauge("in.flight", "Requests that have no answer yet")
            .counter("requests", "Requests that were answered")
            .counter("in.bytes", Unit.BYTES, "Bytes of their answers")
            .counter("connections", "How often the connection was made")
            .text("last.error", "The last failure, also if it is over");

    private static final TableSchema FETCHERS = TableSchema.of(
                    "replication.fetchers", "What is fetched from each leader")
            .label("leader", "The broker id of the leader")
            .label("fetcher", "The connection, as in replication.peers")
            .gauge("partitions", "Partitions of this leader that this broker follows")
            .gauge("waiting", "Those of them that failed or are being appended, and are not fetched now")
            .gauge("lag.records", "Records below the high watermarks of the leader that this broker does not have")
            .gauge("most.lag.records", "The same of the partition that has most of them")
            .counter("fetches", "Answers of the leader")
            .counter("fetched.bytes", Unit.BYTES, "Bytes of records in them");

    @ObjectClassDefinition(name = "Felice replication", description = "The connections to the other brokers.")
    @interface Config {
        @AttributeDefinition(
                description = "The name of the listener at which brokers reach each other, the same on all brokers of a"
                        + " cluster. Empty for the first listener with the protocol PLAINTEXT, or if there is none, for"
                        + " the first one.")
        String inter_broker_listener_name() default "";

        @AttributeDefinition(
                description = "How this broker logs in to other brokers if that listener has SASL: PLAIN,"
                        + " SCRAM-SHA-256 or SCRAM-SHA-512.")
        String sasl_mechanism_inter_broker_protocol() default "SCRAM-SHA-512";

        @AttributeDefinition(
                description = "The user as which this broker logs in to other brokers. It must be in super.users, or"
                        + " have the right CLUSTER_ACTION on the cluster.")
        String inter_broker_user() default "";

        @AttributeDefinition(
                description = "The file whose first line is the password of that user. A changed file is read within"
                        + " seconds.")
        String inter_broker_password_file() default "";

        @AttributeDefinition(
                description =
                        "If that listener uses TLS: the file with the certificates that sign those of the brokers,"
                                + " PEM or PKCS#12. Empty for the certificates that the JDK trusts.")
        String ssl_truststore_location() default "";

        @AttributeDefinition(
                description = "The password of that file; file:PATH for a file whose first line is the password.")
        String ssl_truststore_password() default "";

        @AttributeDefinition(
                description = "If that listener asks for certificates: the file with the private key and the"
                        + " certificates of this broker, PEM or PKCS#12.")
        String ssl_keystore_location() default "";

        @AttributeDefinition(
                description = "The password of that file; file:PATH for a file whose first line is the password.")
        String ssl_keystore_password() default "";

        @AttributeDefinition(
                description = "The password of the private key, if it is another one than that of the file; file:PATH"
                        + " for a file whose first line is the password.")
        String ssl_key_password() default "";

        @AttributeDefinition(
                description =
                        "Whether the certificate of a broker must be for the host name of its advertised address.")
        boolean ssl_host_names() default true;

        @AttributeDefinition(
                description = "Threads, and connections, that fetch from each leader.",
                min = "1",
                max = "64")
        int num_replica_fetchers() default 1;

        @AttributeDefinition(
                description = "Most bytes of one partition in an answer of a leader; a larger batch comes alone.",
                min = "1024")
        int replica_fetch_max_bytes() default 1048576;

        @AttributeDefinition(
                description =
                        "Most bytes of an answer of a leader; a larger batch comes alone. This broker keeps so much"
                                + " memory outside of the heap for each connection over which it fetches.",
                min = "1024")
        int replica_fetch_response_max_bytes() default 10485760;

        @AttributeDefinition(
                description = "How long a leader waits for new records before it answers, in milliseconds.",
                min = "1",
                max = "60000")
        int replica_fetch_wait_max_ms() default 500;

        @AttributeDefinition(description = "For how many bytes of records a leader waits.", min = "1")
        int replica_fetch_min_bytes() default 1;

        @AttributeDefinition(
                description = "The longest pause after a failure of a partition, in milliseconds. The first pause is 10"
                        + " ms; it becomes longer with each failure.",
                min = "10")
        int replica_fetch_backoff_ms() default 1000;

        @AttributeDefinition(
                description = "How long after its wait an answer of a leader may take, in milliseconds. Then the"
                        + " connection is made anew.",
                min = "100")
        int replica_socket_timeout_ms() default 30000;
    }

    private final Forwarding forwarding;
    private final Fetchers fetchers;
    private final CurrentIdentity identity;
    private volatile FetchLimits limits;
    private final Subscription following;

    @Activate
    public Replication(
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference FollowedPartitions followed,
            Config config) {
        identity = new CurrentIdentity(PeerSettings.of(config));
        PeerAddresses addresses = new PeerAddresses(metadata, identity::settings);
        forwarding = new Forwarding(addresses, identity);
        limits = FetchLimits.of(config);
        fetchers = new Fetchers(new FetchEnvironment(
                metadata, addresses, identity, () -> limits, new FetchThrottle(configs, metadata, System::nanoTime)));
        forwarding.start();
        following = followed.listen(fetchers);
    }

    @Modified
    public void modified(Config wanted) {
        try {
            identity.change(PeerSettings.of(wanted));
            limits = FetchLimits.of(wanted);
        } catch (IllegalArgumentException wrong) {
            log.warn("io.felice.replication.cfg: {} The values before that change stay in force", wrong.getMessage());
        }
    }

    @Deactivate
    public void deactivate() {
        following.close();
        fetchers.close();
        forwarding.close();
    }

    @Override
    public CompletionStage<byte[]> forward(
            int brokerId, Optional<Requester> requester, byte[] request, Duration timeout) {
        return forwarding.forward(brokerId, requester, request, timeout);
    }

    @Override
    public List<StatusTable> tables() {
        List<Fetcher> all = fetchers.all();
        return List.of(
                LIMITS.rows(List.of(
                        forwarding.limit(),
                        TableSchema.limitOfBytes(
                                "answers.bytes",
                                all.stream().mapToLong(Fetcher::memoryBytes).sum(),
                                (long) all.size() * limits.answerBytes()))),
                PEERS.rows(statuses().stream().map(PeerStatus::row).toList()),
                FETCHERS.rows(
                        all.stream().map(fetcher -> fetcher.progress().row()).toList()));
    }

    @Override
    public List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        for (PeerStatus peer : statuses()) {
            if (peer.state() == PeerStatus.State.REFUSED) {
                troubles.add(Trouble.inPart("The connection to broker " + peer.brokerId() + " (" + peer.address()
                        + ") is refused: " + peer.lastError()
                        + ". What that broker leads is not replicated to this one"));
            } else if (peer.state() == PeerStatus.State.AWAY
                    && System.nanoTime() - peer.awaySinceNanos() > PATIENCE_NANOS) {
                troubles.add(Trouble.inPart("Broker " + peer.brokerId() + " is not reached: " + peer.lastError()));
            }
        }
        return troubles;
    }

    private List<PeerStatus> statuses() {
        List<PeerStatus> all = new ArrayList<>(forwarding.statuses());
        fetchers.all().forEach(fetcher -> all.add(fetcher.status()));
        return all;
    }
}
