package io.felice.wire.mqtt;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authorization;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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

/** The wire {@code mqtt}: MQTT 3.1.1 and 5. Its messages are records, and its sessions are consumer groups. */
@Component(
        service = {WireProtocol.class, StatusSource.class},
        configurationPid = "io.felice.wire.mqtt",
        immediate = true,
        property = WireProtocol.NAME + "=mqtt")
@Designate(ocd = MqttWire.Config.class)
public final class MqttWire implements WireProtocol, StatusSource {
    private static final TableSchema STATUS = TableSchema.of("mqtt", "MQTT's clients and their messages")
            .gauge("connections", "Open connections")
            .gauge("clients", "Clients that are connected with a session")
            .gauge("sessions", "Sessions that are kept for clients that come back")
            .gauge("retained", "Retained messages in memory")
            .gauge("retained.bytes", Unit.BYTES, "Bytes of these messages")
            .counter("published", "Messages of clients that became records")
            .counter("refused", "Messages of clients that were refused")
            .counter("delivered", "Messages that were sent to clients")
            .counter("delivered.again", "Messages that were sent again, because the client did not acknowledge them")
            .counter("too.large", "Records that were not sent to a client, because they are too large for it")
            .counter("taken.over", "Connections that were closed, because their client connected again")
            .counter("wills", "Last messages of clients whose connection broke");

    private static final Logger log = LoggerFactory.getLogger(MqttWire.class);

    static final String RETAINED_TOPIC = "mqtt-retained";
    static final String SESSIONS_TOPIC = "mqtt-sessions";

    private static final int READERS = 2;
    /** How long the client waits while a log is opened or a group is loaded. */
    private static final Duration RETRIES = Duration.ofSeconds(10);

    private static final long TICK_MS = 1000;
    private static final long LOAD_AGAIN_MS = 200;

    @ObjectClassDefinition(name = "Felice: MQTT", description = "Messages of MQTT clients are records of Kafka topics.")
    @interface Config {
        @AttributeDefinition(
                description = "FILTER:TOPIC, separated by commas: the Kafka topic with the messages of the MQTT topics"
                        + " that match the filter. The first rule that matches counts: sensors/#:measurements,#:mqtt.")
        String[] topics() default {"#:mqtt"};

        @AttributeDefinition(
                description = "The longest packet of a client in bytes; a client that sends a longer one is"
                        + " disconnected.",
                min = "1024",
                max = "268435455")
        int max_packet_bytes() default 1048576;

        @AttributeDefinition(
                description = "The most messages in each direction of a connection that are not acknowledged.",
                min = "1",
                max = "1000")
        int receive_maximum() default 100;

        @AttributeDefinition(
                description = "For how long a session is kept at most after its client has gone, in seconds.",
                min = "0",
                max = "31536000")
        int session_expiry_max_seconds() default 604800;

        @AttributeDefinition(
                description = "The most bytes of all retained messages, which are in memory. Further ones are refused.",
                min = "0")
        long retained_bytes() default 16777216;
    }

    private volatile MqttServices services;
    private final Set<MqttConnection> connections = ConcurrentHashMap.newKeySet();
    private final ExecutorService readers;
    private final ScheduledExecutorService timer;
    private final ClusterMetadata metadata;
    private final MqttSessions sessions;
    private final RetainedMessages retained;
    private final MqttCounters counters = new MqttCounters();
    private final AtomicBoolean isBegun = new AtomicBoolean();
    private volatile boolean isStopped;

    @Activate
    public MqttWire(
            @Reference Partitions partitions,
            @Reference Groups groups,
            @Reference ClusterMetadata metadata,
            @Reference Admin admin,
            @Reference Configs configs,
            @Reference Authentication authentication,
            @Reference Authorization authorization,
            Config config) {
        InstantSource clock = InstantSource.system();
        MqttSettings settings = settings(config);
        MqttRights rights = new MqttRights(authorization);
        MqttTopics topics = new MqttTopics(metadata, admin, configs, rights);
        this.metadata = metadata;
        this.readers = Executors.newFixedThreadPool(READERS, task -> thread(task, "felice-wire-mqtt-reader"));
        this.timer = Executors.newSingleThreadScheduledExecutor(task -> thread(task, "felice-wire-mqtt-timer"));
        Retries retries = new Retries(timer, RETRIES);
        this.retained = new RetainedMessages(
                new OwnTopic(RETAINED_TOPIC, partitions, topics, retries, clock), clock, settings.retainedBytes());
        this.sessions = new MqttSessions(
                new OwnTopic(SESSIONS_TOPIC, partitions, topics, retries, clock), groups, retries, clock);
        this.services = new MqttServices(
                partitions,
                authentication,
                rights,
                topics,
                new Publisher(partitions, topics, rights, retained, settings.topics(), clock),
                retained,
                sessions,
                settings,
                counters,
                new CompletableFuture<>(),
                readers,
                new Wills(timer),
                clock);
    }

    /** Clients come back at once and get the new settings. */
    @Modified
    void modified(Config config) {
        MqttSettings wanted;
        try {
            wanted = settings(config);
        } catch (IllegalArgumentException refused) {
            log.error("{}. The settings of io.felice.wire.mqtt.cfg stay as they were", refused.getMessage());
            return;
        }
        if (!wanted.equals(services.settings())) {
            services = services.with(wanted);
            retained.limitTo(wanted.retainedBytes());
            connections.forEach(MqttConnection::closeForChange);
        }
    }

    private static Thread thread(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    private static MqttSettings settings(Config config) {
        List<String> rules = Arrays.stream(config.topics())
                .flatMap(text -> Arrays.stream(text.split(",")))
                .map(String::trim)
                .filter(text -> !text.isEmpty())
                .toList();
        return new MqttSettings(
                TopicMap.parse(rules, Set.of(RETAINED_TOPIC, SESSIONS_TOPIC)),
                config.max_packet_bytes(),
                config.receive_maximum(),
                Duration.ofSeconds(config.session_expiry_max_seconds()),
                config.retained_bytes());
    }

    @Deactivate
    public void deactivate() {
        isStopped = true;
        timer.shutdownNow();
        readers.shutdown();
    }

    /** The first client has come. A node without MQTT clients has none of the wire's threads. */
    private void begin() {
        thread(this::load, "felice-wire-mqtt-load").start();
        timer.scheduleWithFixedDelay(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** Reads the sessions and the retained messages, again and again until it has them. */
    private void load() {
        boolean told = false;
        while (!isStopped) {
            try {
                if (metadata.view().broker(metadata.brokerId()).isPresent()) {
                    sessions.load();
                    retained.load();
                    services.loaded().complete(null);
                    return;
                }
                Thread.sleep(LOAD_AGAIN_MS);
            } catch (InterruptedException hurry) {
                return;
            } catch (RuntimeException failure) {
                if (!told) {
                    log.warn(
                            "The sessions and retained messages of MQTT clients are not read yet; clients wait: {}",
                            failure.getMessage());
                    told = true;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(LOAD_AGAIN_MS);
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    private void tick() {
        try {
            connections.forEach(MqttConnection::tickLater);
            if (services.loaded().isDone()) {
                sessions.expire();
            }
        } catch (RuntimeException failure) {
            log.error("Expired sessions of MQTT clients are not deleted", failure);
        }
    }

    @Override
    public int frameLength(ByteBuffer received) {
        return MqttCodec.lengthOf(received);
    }

    @Override
    public int longestFrame() {
        return services.settings().longestPacket();
    }

    @Override
    public WireSession open(WireConnection connection) {
        if (!isBegun.getAndSet(true)) {
            begin();
        }
        MqttConnection opened = new MqttConnection(connection, services, connections::remove);
        connections.add(opened);
        return opened;
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(STATUS.row(
                (long) connections.size(),
                (long) sessions.connected(),
                (long) sessions.stored(),
                (long) retained.count(),
                retained.bytes(),
                counters.published.sum(),
                counters.refused.sum(),
                counters.delivered.sum(),
                counters.again.sum(),
                counters.tooLarge.sum(),
                counters.takenOver.sum(),
                counters.wills.sum()));
    }
}
