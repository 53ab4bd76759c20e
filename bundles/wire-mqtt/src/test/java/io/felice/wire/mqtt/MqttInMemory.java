package io.felice.wire.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authorization;
import io.felice.api.security.Principal;
import io.felice.api.storage.Records;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import io.felice.records.Batches;
import io.felice.testkit.FakeWireConnection;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption;
import io.netty.handler.codec.mqtt.MqttVersion;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Connections of clients of MQTT 5 to topics in memory. The test moves the time, and everything runs on its thread. */
final class MqttInMemory implements WireProtocol {
    private static final String TOPIC = "mqtt";

    private final Map<TopicPartition, List<RecordBatch>> logs = new HashMap<>();
    private final List<Runnable> waitingFetches = new ArrayList<>();
    private final List<Later> timer = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final MqttServices services;
    private long nowMs = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();

    private record Later(long atMs, Runnable task) {}

    MqttInMemory() {
        Partitions partitions = partitions();
        ClusterMetadata metadata = MqttFakes.fake(
                ClusterMetadata.class,
                Map.of("view", MqttFakes.view(TOPIC, MqttWire.RETAINED_TOPIC, MqttWire.SESSIONS_TOPIC)));
        MqttRights rights = new MqttRights(MqttFakes.fake(Authorization.class, Map.of("isEnforced", false)));
        MqttTopics topics = new MqttTopics(
                metadata, MqttFakes.fake(Admin.class, Map.of()), MqttFakes.fake(Configs.class, Map.of()), rights);
        Retries retries = new Retries(timer(), Duration.ZERO);
        RetainedMessages retained = new RetainedMessages(
                new OwnTopic(MqttWire.RETAINED_TOPIC, partitions, topics, retries, this::now), this::now, 1 << 20);
        MqttSessions sessions = new MqttSessions(
                new OwnTopic(MqttWire.SESSIONS_TOPIC, partitions, topics, retries, this::now),
                groups(),
                retries,
                this::now);
        TopicMap map = TopicMap.parse(List.of("#:" + TOPIC), Set.of());
        services = new MqttServices(
                partitions,
                MqttFakes.fake(Authentication.class, Map.of()),
                rights,
                topics,
                new Publisher(partitions, topics, rights, retained, map, this::now),
                retained,
                sessions,
                new MqttSettings(map, 1 << 20, 100, Duration.ofDays(1), 1 << 20),
                new MqttCounters(),
                CompletableFuture.completedFuture(null),
                Runnable::run,
                new Wills(timer()),
                this::now);
    }

    private Instant now() {
        return Instant.ofEpochMilli(nowMs);
    }

    /** Moves the time, and does what is due. */
    void pass(Duration time) {
        nowMs += time.toMillis();
        List<Later> due = timer.stream().filter(later -> later.atMs <= nowMs).toList();
        timer.removeAll(due);
        due.forEach(later -> later.task.run());
        services.sessions().expire();
        settle();
    }

    int storedSessions() {
        return services.sessions().stored();
    }

    // ---- what the node has ----

    private ScheduledExecutorService timer() {
        return (ScheduledExecutorService) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {ScheduledExecutorService.class},
                (proxy, method, arguments) -> {
                    long delayMs = ((TimeUnit) arguments[2]).toMillis((long) arguments[1]);
                    timer.add(new Later(nowMs + delayMs, (Runnable) arguments[0]));
                    return null;
                });
    }

    private static Groups groups() {
        return MqttFakes.fake(
                Groups.class,
                Map.of(
                        "coordinatorOf", CompletableFuture.completedFuture(1),
                        "commit", CompletableFuture.completedFuture(Map.of()),
                        "delete", CompletableFuture.completedFuture(ErrorCode.NONE)));
    }

    private Partitions partitions() {
        return (Partitions) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Partitions.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "leader" -> partition((TopicPartition) arguments[0]);
                    case "fetch" -> fetch((FetchPlan) arguments[0]);
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    private Partition partition(TopicPartition id) {
        return (Partition) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Partition.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "logStartOffset" -> 0L;
                    case "highWatermark" -> (long) log(id).size();
                    case "append" -> append(id, (ByteBuffer) arguments[0]);
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    private List<RecordBatch> log(TopicPartition id) {
        return logs.computeIfAbsent(id, added -> new ArrayList<>());
    }

    private CompletableFuture<Partition.Appended> append(TopicPartition id, ByteBuffer bytes) {
        RecordBatch batch = Batches.split(bytes).get(0);
        long offset = log(id).size();
        batch.stamp(offset, 0);
        log(id).add(batch);
        List<Runnable> waiting = List.copyOf(waitingFetches);
        waitingFetches.clear();
        waiting.forEach(Runnable::run);
        return CompletableFuture.completedFuture(new Partition.Appended(offset, offset, -1, 0));
    }

    private CompletableFuture<List<FetchedPartition>> fetch(FetchPlan plan) {
        CompletableFuture<List<FetchedPartition>> fetched = new CompletableFuture<>();
        fetch(plan.wants().get(0), fetched);
        return fetched;
    }

    private void fetch(FetchPlan.Want want, CompletableFuture<List<FetchedPartition>> fetched) {
        List<RecordBatch> log = log(want.partition());
        long end = log.size();
        if (want.offset() >= end) {
            waitingFetches.add(() -> fetch(want, fetched));
            return;
        }
        List<ByteBuffer> found = log.subList((int) want.offset(), log.size()).stream()
                .map(RecordBatch::bytes)
                .toList();
        fetched.complete(List.of(new FetchedPartition(
                want.partition(), ErrorCode.NONE, end, end, 0, null, new Records.InMemory(found, end, () -> {}))));
    }

    // ---- connections ----

    @Override
    public int frameLength(ByteBuffer received) {
        return MqttCodec.lengthOf(received);
    }

    @Override
    public int longestFrame() {
        return 1 << 20;
    }

    @Override
    public WireSession open(WireConnection connection) {
        return new MqttConnection(connection, services, ended -> {});
    }

    private void settle() {
        boolean ran = true;
        while (ran) {
            ran = false;
            for (Client client : clients) {
                ran |= client.connection.runTasks();
            }
        }
    }

    /** Connects without a session that is kept. */
    Client connect(String id) {
        return connect(id, true, 0, connect -> {});
    }

    Client connect(
            String id, boolean isCleanStart, int expirySeconds, Consumer<MqttMessageBuilders.ConnectBuilder> more) {
        MqttMessageBuilders.ConnectBuilder connect = MqttMessageBuilders.connect()
                .protocolVersion(MqttVersion.MQTT_5)
                .clientId(id)
                .cleanSession(isCleanStart)
                .properties(properties(MqttPropertyType.SESSION_EXPIRY_INTERVAL, expirySeconds));
        more.accept(connect);
        return connect(Principal.ANONYMOUS, connect);
    }

    /** Connects as somebody who has shown who he is before. */
    Client connect(Principal as, MqttMessageBuilders.ConnectBuilder connect) {
        Client client = new Client();
        client.connection.authenticated(as);
        clients.add(client);
        client.send(connect.build());
        client.takeConnack();
        return client;
    }

    static MqttProperties properties(MqttPropertyType type, int value) {
        MqttProperties properties = new MqttProperties();
        properties.add(new MqttProperties.IntegerProperty(type.value(), value));
        return properties;
    }

    /** A client of MQTT 5, which acknowledges nothing by itself. */
    final class Client {
        private final FakeWireConnection connection = new FakeWireConnection(MqttInMemory.this, false).open();
        private final MqttCodec codec = new MqttCodec(1 << 20, 256);
        private final List<MqttMessage> received = new ArrayList<>();
        private byte[] afterConnack = {};
        private MqttConnAckMessage connack;

        private void send(MqttMessage packet) {
            ByteBuffer bytes = codec.encode(packet);
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            connection.receive(copy);
            settle();
        }

        private void takeConnack() {
            ByteBuffer bytes = ByteBuffer.wrap(bytes());
            connack = (MqttConnAckMessage) next(bytes);
            afterConnack = new byte[bytes.remaining()];
            bytes.get(afterConnack);
        }

        private MqttMessage next(ByteBuffer bytes) {
            int length = MqttCodec.lengthOf(bytes);
            MqttMessage packet = codec.decode(bytes.slice(bytes.position(), length));
            bytes.position(bytes.position() + length);
            return packet;
        }

        /** The bytes after CONNACK that were sent to the client since the last call of this or of the other methods. */
        byte[] bytes() {
            settle();
            byte[] sent = connection.takeSent();
            byte[] bytes = ByteBuffer.allocate(afterConnack.length + sent.length)
                    .put(afterConnack)
                    .put(sent)
                    .array();
            afterConnack = new byte[0];
            return bytes;
        }

        private List<MqttMessage> packets() {
            List<MqttMessage> packets = new ArrayList<>();
            ByteBuffer bytes = ByteBuffer.wrap(bytes());
            while (bytes.hasRemaining()) {
                packets.add(next(bytes));
            }
            received.addAll(packets);
            return packets;
        }

        /** The messages since the last call. */
        List<MqttPublishMessage> messages() {
            packets();
            List<MqttPublishMessage> messages = received.stream()
                    .filter(MqttPublishMessage.class::isInstance)
                    .map(MqttPublishMessage.class::cast)
                    .toList();
            received.clear();
            return messages;
        }

        /** The payloads of {@link #messages}. */
        List<String> texts() {
            return messages().stream()
                    .map(message -> message.payload().toString(UTF_8))
                    .toList();
        }

        MqttConnectReturnCode code() {
            return connack.variableHeader().connectReturnCode();
        }

        boolean isClosed() {
            settle();
            return connection.isClosed();
        }

        boolean isSessionPresent() {
            return connack.variableHeader().isSessionPresent();
        }

        /** @return the reason codes of SUBACK */
        List<Integer> subscribe(MqttProperties properties, MqttSubscriptionOption option, String... filters) {
            MqttMessageBuilders.SubscribeBuilder subscribe =
                    MqttMessageBuilders.subscribe().messageId(1).properties(properties);
            for (String filter : filters) {
                subscribe.addSubscription(filter, option);
            }
            send(subscribe.build());
            return packets().stream()
                    .filter(MqttSubAckMessage.class::isInstance)
                    .map(MqttSubAckMessage.class::cast)
                    .findFirst()
                    .orElseThrow()
                    .payload()
                    .reasonCodes();
        }

        void subscribe(String filter) {
            subscribe(MqttProperties.NO_PROPERTIES, MqttSubscriptionOption.onlyFromQos(MqttQoS.AT_LEAST_ONCE), filter);
        }

        void publish(String topic, String text) {
            publish(topic, text, false, MqttProperties.NO_PROPERTIES);
        }

        void publish(String topic, String text, boolean retain, MqttProperties properties) {
            send(MqttMessageBuilders.publish()
                    .topicName(topic)
                    .qos(MqttQoS.AT_LEAST_ONCE)
                    .messageId(1)
                    .retained(retain)
                    .properties(properties)
                    .payload(Unpooled.copiedBuffer(text, UTF_8))
                    .build());
        }

        void acknowledge(int packetId) {
            send(MqttMessageBuilders.pubAck().packetId(packetId).build());
        }

        void disconnect() {
            send(MqttMessageBuilders.disconnect().build());
            connection.breakOff();
        }

        void breakOff() {
            connection.breakOff();
            settle();
        }
    }

    static Optional<Integer> number(MqttPublishMessage message, MqttPropertyType type) {
        return Optional.ofNullable(message.variableHeader().properties().getProperty(type.value()))
                .map(property -> (Integer) property.value());
    }
}
