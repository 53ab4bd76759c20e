package io.felice.wire.mqtt;

import static io.netty.handler.codec.mqtt.MqttConnectReturnCode.CONNECTION_ACCEPTED;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Requester;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireSession;
import io.felice.wire.mqtt.Deliveries.Delivery;
import io.felice.wire.mqtt.MqttSession.Position;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttPublishVariableHeader;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttReasonCodes;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubAckPayload;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption.RetainedHandlingPolicy;
import io.netty.handler.codec.mqtt.MqttTopicSubscription;
import io.netty.handler.codec.mqtt.MqttUnacceptableProtocolVersionException;
import io.netty.handler.codec.mqtt.MqttUnsubscribeMessage;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection of one MQTT client. The next packet waits until the last one has begun, so that messages are appended
 * in the order in which they come. I/O thread of the connection, unless a method says otherwise.
 */
final class MqttConnection implements WireSession, Deliveries.Sender {
    private static final Logger log = LoggerFactory.getLogger(MqttConnection.class);

    private static final int MQTT_5 = 5;
    private static final int LONGEST_CLIENT_ID = 256;
    private static final int MOST_SUBSCRIPTIONS = 1000;
    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int FAILED_V3 = 0x80;

    private enum State {
        /** The client has to send CONNECT. */
        NEW,
        /** CONNECT is not answered. */
        CONNECTING,
        OPEN,
        ENDED
    }

    /** The acknowledgement of a message of QoS 1. They are sent in the order of the messages. */
    private static final class Ack {
        private final int packetId;
        private boolean isDone;
        private byte reason;

        private Ack(int packetId) {
            this.packetId = packetId;
        }
    }

    private final WireConnection connection;
    private final MqttServices services;
    private final Consumer<MqttConnection> onEnd;
    private final MqttCodec codec;
    private final CompletableFuture<Void> released = new CompletableFuture<>();

    private State state = State.NEW;
    private long activeAt = System.nanoTime();
    private int holds;

    private int version;
    private String clientId;
    private Requester requester;
    private Authentication.Login login;
    private long validUntilMs = Long.MAX_VALUE;
    private long keepAliveNanos;
    private long longestPacket = Integer.MAX_VALUE;
    private int clientReceiveMaximum;
    private Publication will;
    private long willDelaySeconds;

    private MqttSession session;
    private Deliveries deliveries;
    private final Map<String, TopicReading> readings = new LinkedHashMap<>();
    private boolean isCommitting;

    private final ArrayDeque<Ack> acks = new ArrayDeque<>();
    private int appending;
    private boolean isAppendingMost;

    /** @param onEnd called once, on any thread */
    MqttConnection(WireConnection connection, MqttServices services, Consumer<MqttConnection> onEnd) {
        this.connection = connection;
        this.services = services;
        this.onEnd = onEnd;
        this.codec = new MqttCodec(services.settings().longestPacket(), LONGEST_CLIENT_ID);
    }

    // ---- packets ----

    @Override
    public void received(ByteBuffer frame) {
        activeAt = System.nanoTime();
        MqttMessage packet = codec.decode(frame);
        try {
            if (packet.decoderResult().isFailure()) {
                malformed(packet.decoderResult().cause());
            } else {
                handle(packet);
            }
        } finally {
            ReferenceCountUtil.release(packet);
        }
    }

    private void handle(MqttMessage packet) {
        MqttMessageType type = packet.fixedHeader().messageType();
        if (state == State.ENDED) {
            return;
        }
        if ((type == MqttMessageType.CONNECT) != (state == State.NEW)) {
            disconnect(MqttReasonCodes.Disconnect.PROTOCOL_ERROR, "sent " + type + " out of order");
            return;
        }
        switch (type) {
            case CONNECT -> connect((MqttConnectMessage) packet);
            case PUBLISH -> publish((MqttPublishMessage) packet);
            case PUBACK -> acknowledged((MqttMessageIdVariableHeader) packet.variableHeader());
            case SUBSCRIBE -> subscribe((MqttSubscribeMessage) packet);
            case UNSUBSCRIBE -> unsubscribe((MqttUnsubscribeMessage) packet);
            case PINGREQ -> send(MqttMessage.PINGRESP);
            case DISCONNECT -> leave(packet);
            default -> disconnect(MqttReasonCodes.Disconnect.PROTOCOL_ERROR, "sent " + type);
        }
    }

    private void malformed(Throwable cause) {
        if (state == State.NEW && cause instanceof MqttUnacceptableProtocolVersionException) {
            refuse(MqttConnectReturnCode.CONNECTION_REFUSED_UNACCEPTABLE_PROTOCOL_VERSION, cause.getMessage());
        } else {
            disconnect(MqttReasonCodes.Disconnect.MALFORMED_PACKET, "sent a malformed packet: " + cause.getMessage());
        }
    }

    private void send(MqttMessage packet) {
        connection.send(codec.encode(packet));
    }

    private boolean isV5() {
        return version >= MQTT_5;
    }

    // ---- one packet after the other ----

    private void hold() {
        if (holds++ == 0) {
            connection.pauseReading();
        }
    }

    private void release() {
        if (--holds == 0 && state != State.ENDED) {
            connection.resumeReading();
        }
    }

    /** Goes on with the outcome: at once if it is there, else on the I/O thread unless the connection has ended. */
    private <T> void then(CompletionStage<T> stage, Consumer<T> done, Consumer<Throwable> failed) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        if (future.isDone()) {
            finish(future, done, failed);
        } else {
            future.whenComplete((value, failure) -> connection.execute(() -> {
                if (state != State.ENDED) {
                    finish(future, done, failed);
                }
            }));
        }
    }

    private static <T> void finish(CompletableFuture<T> future, Consumer<T> done, Consumer<Throwable> failed) {
        T value;
        try {
            value = future.join();
        } catch (RuntimeException failure) {
            failed.accept(FeliceException.unwrap(failure));
            return;
        }
        try {
            done.accept(value);
        } catch (FeliceException refused) {
            failed.accept(refused);
        }
    }

    // ---- CONNECT ----

    private void connect(MqttConnectMessage packet) {
        state = State.CONNECTING;
        hold();
        version = packet.variableHeader().version();
        MqttProperties properties = packet.variableHeader().properties();
        String wrong = wrongInConnect(packet);
        if (wrong != null) {
            refuse(MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID, wrong);
            return;
        }
        if (properties.getProperty(MqttProperties.MqttPropertyType.AUTHENTICATION_METHOD.value()) != null) {
            refuse(MqttConnectReturnCode.CONNECTION_REFUSED_BAD_AUTHENTICATION_METHOD, "no method is known");
            return;
        }
        keepAliveNanos = TimeUnit.SECONDS.toNanos(packet.variableHeader().keepAliveTimeSeconds()) / 2 * 3;
        clientReceiveMaximum = Math.min(
                services.settings().receiveMaximum(),
                number(properties, MqttProperties.MqttPropertyType.RECEIVE_MAXIMUM)
                        .orElse(services.settings().receiveMaximum()));
        longestPacket = number(properties, MqttProperties.MqttPropertyType.MAXIMUM_PACKET_SIZE)
                .map(Integer::toUnsignedLong)
                .orElse((long) Integer.MAX_VALUE);
        Consumer<Throwable> failed = failure -> refuse(
                codeOf(failure), String.valueOf(FeliceException.unwrap(failure).getMessage()));
        then(services.loaded(), loaded -> then(loggedIn(packet), in -> admit(packet, failed), failed), failed);
    }

    private static Optional<Integer> number(MqttProperties properties, MqttProperties.MqttPropertyType type) {
        return MessageHeaders.value(properties, type, Integer.class);
    }

    private String wrongInConnect(MqttConnectMessage packet) {
        String id = packet.payload().clientIdentifier();
        if (id.length() > LONGEST_CLIENT_ID) {
            return "the client id has more than " + LONGEST_CLIENT_ID + " characters";
        }
        if (id.chars().anyMatch(Character::isISOControl)) {
            return "the client id has control characters";
        }
        if (id.isEmpty() && !isV5() && !packet.variableHeader().isCleanSession()) {
            return "a session that is kept needs a client id";
        }
        return null;
    }

    /** Lets the client log in with its user name and password, if the listener asks for that. */
    private CompletionStage<Void> loggedIn(MqttConnectMessage packet) {
        if (!connection.requiresLogin()) {
            return CompletableFuture.completedFuture(null);
        }
        String user = packet.payload().userName();
        byte[] password = packet.payload().passwordInBytes();
        if (user == null || password == null || user.indexOf('\0') >= 0) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("the listener asks for a user name and a password");
        }
        login = services.authentication()
                .begin(
                        "PLAIN",
                        new Authenticator.Client(
                                connection.remote().getAddress(), connection.listener(), connection.isEncrypted()));
        CompletableFuture<Void> in = new CompletableFuture<>();
        then(
                login.respond(plain(user, password)),
                reply -> {
                    if (reply instanceof Authenticator.Authenticated who) {
                        connection.authenticated(who.principal());
                        validUntilMs =
                                who.validUntil().map(end -> end.toEpochMilli()).orElse(Long.MAX_VALUE);
                        in.complete(null);
                    } else {
                        in.completeExceptionally(ErrorCode.SASL_AUTHENTICATION_FAILED.because("it has to say more"));
                    }
                },
                in::completeExceptionally);
        return in;
    }

    private static byte[] plain(String user, byte[] password) {
        byte[] name = user.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(name.length + password.length + 2)
                .put((byte) 0)
                .put(name)
                .put((byte) 0)
                .put(password)
                .array();
    }

    private void admit(MqttConnectMessage packet, Consumer<Throwable> failed) {
        requester = new Requester(connection.principal(), connection.remote().getAddress());
        String asked = packet.payload().clientIdentifier();
        clientId = asked.isEmpty() ? "auto-" + UUID.randomUUID() : asked;
        takeWill(packet);
        then(
                services.sessions().claim(clientId, this),
                free -> {
                    if (!services.sessions().has(clientId, this)) {
                        refuse(MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_BUSY, "the client has connected again");
                    } else {
                        enter(packet, failed);
                    }
                },
                failed);
    }

    private void takeWill(MqttConnectMessage packet) {
        if (!packet.variableHeader().isWillFlag()) {
            return;
        }
        String topic = packet.payload().willTopic();
        int qos = Math.min(1, packet.variableHeader().willQos());
        boolean retain = packet.variableHeader().isWillRetain();
        MqttProperties properties = packet.payload().willProperties();
        if (!TopicFilter.isTopic(topic)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("the will's topic is none");
        }
        willDelaySeconds = number(properties, MqttProperties.MqttPropertyType.WILL_DELAY_INTERVAL)
                .map(Integer::toUnsignedLong)
                .orElse(0L);
        byte[] payload = packet.payload().willMessageInBytes();
        long now = services.clock().millis();
        will = new Publication(
                topic,
                payload == null ? new byte[0] : payload,
                qos,
                retain,
                MessageHeaders.of(properties, clientId, qos, retain, now));
    }

    private void enter(MqttConnectMessage packet, Consumer<Throwable> failed) {
        boolean clean = packet.variableHeader().isCleanSession();
        long expiry = expirySeconds(packet);
        Optional<MqttSession> before = services.sessions().find(clientId);
        String owner = requester.principal().toString();
        if (before.isPresent() && !before.get().owner().equals(owner)) {
            refuse(
                    MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID,
                    "the session belongs to somebody else");
            return;
        }
        CompletionStage<Boolean> allowed = expiry > 0
                ? services.rights().mayUseGroup(requester, MqttSession.group(clientId))
                : CompletableFuture.completedFuture(true);
        then(
                allowed,
                may -> {
                    if (!may) {
                        refuse(
                                MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED_5,
                                "READ on group " + MqttSession.group(clientId) + " is not allowed");
                    } else if (before.isPresent() && !clean) {
                        resume(before.get(), expiry, packet, failed);
                    } else {
                        begin(before, expiry, packet, failed);
                    }
                },
                failed);
    }

    private long expirySeconds(MqttConnectMessage packet) {
        long most = services.settings().longestSession().toSeconds();
        if (!isV5()) {
            return packet.variableHeader().isCleanSession() ? 0 : most;
        }
        return Math.min(
                most,
                number(packet.variableHeader().properties(), MqttProperties.MqttPropertyType.SESSION_EXPIRY_INTERVAL)
                        .map(Integer::toUnsignedLong)
                        .orElse(0L));
    }

    private void resume(MqttSession old, long expiry, MqttConnectMessage packet, Consumer<Throwable> failed) {
        then(
                services.sessions().positions(old),
                committed -> {
                    Set<String> wanted = kafkaTopics(old);
                    committed.forEach((partition, offset) -> {
                        if (wanted.contains(partition.topic())) {
                            old.positions().putIfAbsent(partition, new Position(offset));
                        }
                    });
                    old.expireAfter(expiry);
                    old.enter();
                    open(old, true, packet, failed);
                },
                failed);
    }

    private void begin(
            Optional<MqttSession> before, long expiry, MqttConnectMessage packet, Consumer<Throwable> failed) {
        CompletionStage<Void> gone = before.map(old -> services.sessions().delete(old, true))
                .orElse(CompletableFuture.completedFuture(null));
        then(
                gone,
                deleted -> open(
                        new MqttSession(clientId, requester.principal().toString(), expiry), false, packet, failed),
                failed);
    }

    private void open(MqttSession entered, boolean isPresent, MqttConnectMessage packet, Consumer<Throwable> failed) {
        CompletionStage<Void> saved =
                entered.isPersistent() ? services.sessions().save(entered) : CompletableFuture.completedFuture(null);
        then(
                saved,
                stored -> {
                    if (entered.isPersistent()) {
                        services.sessions().add(entered);
                    }
                    session = entered;
                    deliveries = new Deliveries(session, clientReceiveMaximum, this);
                    state = State.OPEN;
                    send(MqttMessageBuilders.connAck()
                            .returnCode(CONNECTION_ACCEPTED)
                            .sessionPresent(isPresent)
                            .properties(isV5() ? limits(packet) : MqttProperties.NO_PROPERTIES)
                            .build());
                    readAll();
                    release();
                },
                failed);
    }

    /** What the client has to know about this broker. */
    private MqttProperties limits(MqttConnectMessage packet) {
        MqttProperties properties = new MqttProperties();
        add(properties, MqttProperties.MqttPropertyType.MAXIMUM_QOS, 1);
        add(properties, MqttProperties.MqttPropertyType.SHARED_SUBSCRIPTION_AVAILABLE, 0);
        add(properties, MqttProperties.MqttPropertyType.TOPIC_ALIAS_MAXIMUM, 0);
        add(
                properties,
                MqttProperties.MqttPropertyType.RECEIVE_MAXIMUM,
                services.settings().receiveMaximum());
        add(
                properties,
                MqttProperties.MqttPropertyType.MAXIMUM_PACKET_SIZE,
                services.settings().longestPacket());
        add(properties, MqttProperties.MqttPropertyType.SESSION_EXPIRY_INTERVAL, (int) session.expirySeconds());
        if (packet.payload().clientIdentifier().isEmpty()) {
            properties.add(new MqttProperties.StringProperty(
                    MqttProperties.MqttPropertyType.ASSIGNED_CLIENT_IDENTIFIER.value(), clientId));
        }
        return properties;
    }

    private static void add(MqttProperties properties, MqttProperties.MqttPropertyType type, int value) {
        properties.add(new MqttProperties.IntegerProperty(type.value(), value));
    }

    private static MqttConnectReturnCode codeOf(Throwable failure) {
        ErrorCode code = FeliceException.codeOf(failure);
        if (code == ErrorCode.SASL_AUTHENTICATION_FAILED || code == ErrorCode.UNSUPPORTED_SASL_MECHANISM) {
            return MqttConnectReturnCode.CONNECTION_REFUSED_BAD_USERNAME_OR_PASSWORD;
        }
        return code == ErrorCode.INVALID_TOPIC_EXCEPTION
                ? MqttConnectReturnCode.CONNECTION_REFUSED_TOPIC_NAME_INVALID
                : MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE_5;
    }

    /** Answers CONNECT, and closes the connection. @param code that of MQTT 5 */
    private void refuse(MqttConnectReturnCode code, String why) {
        log.debug("MQTT client {} of {} is refused: {}", clientId, connection.remote(), why);
        send(MqttMessageBuilders.connAck()
                .returnCode(isV5() ? code : forVersion3(code))
                .sessionPresent(false)
                .build());
        will = null;
        end();
        connection.close();
    }

    private static MqttConnectReturnCode forVersion3(MqttConnectReturnCode code) {
        return switch (code) {
            case CONNECTION_REFUSED_BAD_USERNAME_OR_PASSWORD -> MqttConnectReturnCode
                    .CONNECTION_REFUSED_BAD_USER_NAME_OR_PASSWORD;
            case CONNECTION_REFUSED_NOT_AUTHORIZED_5 -> MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED;
            case CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID -> MqttConnectReturnCode
                    .CONNECTION_REFUSED_IDENTIFIER_REJECTED;
            case CONNECTION_REFUSED_UNACCEPTABLE_PROTOCOL_VERSION -> code;
            default -> MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE;
        };
    }

    // ---- PUBLISH ----

    private void publish(MqttPublishMessage packet) {
        MqttQoS qos = packet.fixedHeader().qosLevel();
        String topic = packet.variableHeader().topicName();
        if (qos.value() > 1) {
            disconnect(MqttReasonCodes.Disconnect.QOS_NOT_SUPPORTED, "published with QoS 2");
            return;
        }
        MqttProperties properties = packet.variableHeader().properties();
        if (properties.getProperty(MqttProperties.MqttPropertyType.TOPIC_ALIAS.value()) != null) {
            disconnect(MqttReasonCodes.Disconnect.TOPIC_ALIAS_INVALID, "published with a topic alias");
            return;
        }
        if (!TopicFilter.isTopic(topic)) {
            disconnect(MqttReasonCodes.Disconnect.TOPIC_NAME_INVALID, "published to \"" + topic + "\"");
            return;
        }
        if (isV5() && qos.value() == 1 && acks.size() >= services.settings().receiveMaximum()) {
            disconnect(MqttReasonCodes.Disconnect.RECEIVE_MAXIMUM_EXCEEDED, "did not wait for PUBACK");
            return;
        }
        boolean retain = packet.fixedHeader().isRetain();
        Publication publication = new Publication(
                topic,
                ByteBufUtil.getBytes(packet.payload()),
                qos.value(),
                retain,
                MessageHeaders.of(
                        properties,
                        clientId,
                        qos.value(),
                        retain,
                        services.clock().millis()));
        Ack ack = new Ack(packet.variableHeader().packetId());
        if (publication.qos() > 0) {
            acks.add(ack);
        }
        begins();
        publish(publication, failure -> ended(publication, ack, failure));
    }

    /** Limits the messages that are being appended, also those of QoS 0. */
    private void begins() {
        appending++;
        if (appending >= services.settings().receiveMaximum() && !isAppendingMost) {
            isAppendingMost = true;
            hold();
        }
    }

    private void ended(Publication publication, Ack ack, Throwable failure) {
        appending--;
        if (isAppendingMost && appending < services.settings().receiveMaximum()) {
            isAppendingMost = false;
            release();
        }
        if (failure == null) {
            services.counters().published.increment();
        } else {
            services.counters().refused.increment();
            log.debug("A message of MQTT client {} to {} is refused: {}", clientId, publication.topic(), failure);
        }
        if (publication.qos() == 0) {
            return;
        }
        MqttReasonCodes.PubAck reason = failure == null ? MqttReasonCodes.PubAck.SUCCESS : reasonOf(failure);
        if (reason == null || failure != null && !isV5()) {
            // Neither acknowledged nor lost: the client sends the message again when it has connected again.
            disconnect(
                    FeliceException.codeOf(failure) == ErrorCode.TOPIC_AUTHORIZATION_FAILED
                            ? MqttReasonCodes.Disconnect.NOT_AUTHORIZED
                            : MqttReasonCodes.Disconnect.SERVER_BUSY,
                    "a message to " + publication.topic() + " is not appended: " + failure.getMessage());
            return;
        }
        ack.isDone = true;
        ack.reason = reason.byteValue();
        sendAcks();
    }

    private void sendAcks() {
        while (!acks.isEmpty() && acks.peek().isDone) {
            Ack ack = acks.poll();
            send(MqttMessageBuilders.pubAck()
                    .packetId(ack.packetId)
                    .reasonCode(ack.reason)
                    .build());
        }
    }

    /** The reason for PUBACK; null if the client should try again. */
    private static MqttReasonCodes.PubAck reasonOf(Throwable failure) {
        return switch (FeliceException.codeOf(failure)) {
            case TOPIC_AUTHORIZATION_FAILED -> MqttReasonCodes.PubAck.NOT_AUTHORIZED;
            case UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION -> MqttReasonCodes.PubAck.TOPIC_NAME_INVALID;
            case MESSAGE_TOO_LARGE, POLICY_VIOLATION -> MqttReasonCodes.PubAck.QUOTA_EXCEEDED;
            case INVALID_RECORD, INVALID_TIMESTAMP -> MqttReasonCodes.PubAck.IMPLEMENTATION_SPECIFIC_ERROR;
            default -> null;
        };
    }

    /** Appends the message. @param ended gets null, or the failure */
    private void publish(Publication publication, Consumer<Throwable> ended) {
        hold();
        Consumer<Throwable> failed = failure -> {
            release();
            ended.accept(failure);
        };
        then(
                services.publisher().allowed(publication, requester),
                kafkaTopic -> then(
                        services.topics().ready(kafkaTopic, requester),
                        partitions -> {
                            CompletionStage<Void> appended =
                                    services.publisher().append(publication, kafkaTopic, partitions, connection.turn());
                            release();
                            then(appended, done -> ended.accept(null), ended);
                        },
                        failed),
                failed);
    }

    // ---- SUBSCRIBE ----

    private void subscribe(MqttSubscribeMessage packet) {
        int packetId = packet.variableHeader().messageId();
        int identifier = isV5()
                ? number(
                                packet.idAndPropertiesVariableHeader().properties(),
                                MqttProperties.MqttPropertyType.SUBSCRIPTION_IDENTIFIER)
                        .orElse(0)
                : 0;
        List<Asked> all = new ArrayList<>();
        Set<String> kafkaTopics = new LinkedHashSet<>();
        for (MqttTopicSubscription wanted : packet.payload().topicSubscriptions()) {
            Asked asked = asked(wanted, identifier);
            all.add(asked);
            if (asked.subscription != null) {
                kafkaTopics.addAll(services.settings().topics().kafkaTopics(asked.subscription.filter()));
            }
        }
        hold();
        Consumer<Throwable> failed = failure -> {
            log.warn("MQTT client {} has not subscribed: {}", clientId, failure.getMessage());
            all.forEach(asked -> asked.refuse(MqttReasonCodes.SubAck.UNSPECIFIED_ERROR));
            answer(packetId, all);
            release();
        };
        then(
                services.rights().readable(requester, kafkaTopics),
                readable -> {
                    all.forEach(
                            asked -> asked.limitTo(readable, services.settings().topics()));
                    then(ready(readable), ready -> subscribe(packetId, all, readable, failed), failed);
                },
                failed);
    }

    /** A subscription that a client asks for; without a subscription it is refused for a reason. */
    private static final class Asked {
        private final RetainedHandlingPolicy retained;
        private MqttSubscription subscription;
        private MqttReasonCodes.SubAck reason;

        private Asked(RetainedHandlingPolicy retained, MqttSubscription subscription, MqttReasonCodes.SubAck reason) {
            this.retained = retained;
            this.subscription = subscription;
            this.reason = reason;
        }

        private void refuse(MqttReasonCodes.SubAck why) {
            if (subscription != null) {
                subscription = null;
                reason = why;
            }
        }

        private void limitTo(Set<String> readable, TopicMap topics) {
            if (subscription != null) {
                Set<String> wanted = topics.kafkaTopics(subscription.filter());
                if (wanted.isEmpty()) {
                    refuse(MqttReasonCodes.SubAck.TOPIC_FILTER_INVALID);
                } else if (wanted.stream().noneMatch(readable::contains)) {
                    refuse(MqttReasonCodes.SubAck.NOT_AUTHORIZED);
                }
            }
        }
    }

    private Asked asked(MqttTopicSubscription wanted, int identifier) {
        RetainedHandlingPolicy retained = wanted.option().retainHandling();
        if (wanted.topicFilter().startsWith("$share/")) {
            return new Asked(retained, null, MqttReasonCodes.SubAck.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        if (session.subscriptions().size() >= MOST_SUBSCRIPTIONS) {
            return new Asked(retained, null, MqttReasonCodes.SubAck.QUOTA_EXCEEDED);
        }
        try {
            MqttSubscription subscription = new MqttSubscription(
                    TopicFilter.parse(wanted.topicFilter()),
                    Math.min(1, wanted.qualityOfService().value()),
                    wanted.option().isNoLocal(),
                    wanted.option().isRetainAsPublished(),
                    identifier);
            return new Asked(
                    retained,
                    subscription,
                    subscription.qos() == 0
                            ? MqttReasonCodes.SubAck.GRANTED_QOS_0
                            : MqttReasonCodes.SubAck.GRANTED_QOS_1);
        } catch (IllegalArgumentException noFilter) {
            return new Asked(retained, null, MqttReasonCodes.SubAck.TOPIC_FILTER_INVALID);
        }
    }

    /** Completes when the topics are there. */
    private CompletionStage<Void> ready(Set<String> kafkaTopics) {
        return CompletableFuture.allOf(kafkaTopics.stream()
                .map(topic -> services.topics().ready(topic, requester).toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }

    private void subscribe(int packetId, List<Asked> all, Set<String> readable, Consumer<Throwable> failed) {
        try {
            kafkaTopicsOf(all).stream().filter(readable::contains).forEach(this::beginAtEnd);
        } catch (FeliceException unavailable) {
            failed.accept(unavailable);
            return;
        }
        Map<Asked, Boolean> isNew = new HashMap<>();
        for (Asked asked : all) {
            if (asked.subscription != null) {
                isNew.put(
                        asked,
                        !session.subscriptions()
                                .containsKey(asked.subscription.filter().text()));
                session.subscribe(asked.subscription);
            }
        }
        then(
                saved(),
                done -> {
                    answer(packetId, all);
                    all.forEach(asked -> deliverRetained(asked, isNew.getOrDefault(asked, false), readable));
                    readAll();
                    deliveries.pump();
                    release();
                },
                failed);
    }

    private Set<String> kafkaTopicsOf(List<Asked> all) {
        Set<String> topics = new LinkedHashSet<>();
        for (Asked asked : all) {
            if (asked.subscription != null) {
                topics.addAll(services.settings().topics().kafkaTopics(asked.subscription.filter()));
            }
        }
        return topics;
    }

    /** A topic that the session does not read yet is read from now on. */
    private void beginAtEnd(String kafkaTopic) {
        if (readings.containsKey(kafkaTopic)) {
            return;
        }
        int partitions = services.topics().partitions(kafkaTopic);
        for (int number = 0; number < partitions; number++) {
            TopicPartition partition = new TopicPartition(kafkaTopic, number);
            long end = services.partitions().leader(partition).highWatermark();
            session.positions().put(partition, new Position(end));
        }
    }

    /** Completes when the session with its positions survives a restart, if it has to. */
    private CompletionStage<Void> saved() {
        if (!session.isPersistent()) {
            return CompletableFuture.completedFuture(null);
        }
        Map<TopicPartition, Long> moved = deliveries.moved();
        CompletionStage<Void> committed = moved.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : services.sessions().commit(session, moved);
        return services.sessions().save(session).thenCombine(committed, (one, other) -> null);
    }

    private void answer(int packetId, List<Asked> all) {
        List<Integer> codes = all.stream()
                .map(asked -> asked.subscription == null && !isV5()
                        ? FAILED_V3
                        : Byte.toUnsignedInt(asked.reason.byteValue()))
                .toList();
        send(new MqttSubAckMessage(
                new MqttFixedHeader(MqttMessageType.SUBACK, false, MqttQoS.AT_MOST_ONCE, false, 0),
                MqttMessageIdVariableHeader.from(packetId),
                new MqttSubAckPayload(codes)));
    }

    private void deliverRetained(Asked asked, boolean isNew, Set<String> readable) {
        MqttSubscription subscription = asked.subscription;
        if (subscription == null
                || asked.retained == RetainedHandlingPolicy.DONT_SEND_AT_SUBSCRIBE
                || asked.retained == RetainedHandlingPolicy.SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS && !isNew) {
            return;
        }
        List<Integer> identifiers = subscription.identifier() == 0 ? List.of() : List.of(subscription.identifier());
        for (Publication publication : services.retained().matching(subscription.filter())) {
            if (services.settings()
                    .topics()
                    .kafkaTopic(publication.topic())
                    .filter(readable::contains)
                    .isPresent()) {
                int qos = Math.min(subscription.qos(), publication.qos());
                deliveries.add(new Delivery(null, -1, publication, qos, true, identifiers));
            }
        }
    }

    private void unsubscribe(MqttUnsubscribeMessage packet) {
        List<Short> codes = new ArrayList<>();
        for (String filter : packet.payload().topics()) {
            codes.add((short)
                    (session.unsubscribe(filter)
                            ? MqttReasonCodes.UnsubAck.SUCCESS.byteValue()
                            : MqttReasonCodes.UnsubAck.NO_SUBSCRIPTION_EXISTED.byteValue()));
        }
        Set<String> needed = kafkaTopics(session);
        readings.entrySet().removeIf(reading -> {
            boolean goes = !needed.contains(reading.getKey());
            if (goes) {
                reading.getValue().end();
            }
            return goes;
        });
        Set<TopicPartition> gone = new HashSet<>(session.positions().keySet());
        gone.removeIf(partition -> needed.contains(partition.topic()));
        deliveries.drop(gone);
        session.positions().keySet().removeAll(gone);
        hold();
        Consumer<Throwable> answered = failure -> {
            send(MqttMessageBuilders.unsubAck()
                    .packetId(packet.variableHeader().messageId())
                    .addReasonCodes(codes.toArray(Short[]::new))
                    .build());
            release();
        };
        then(saved(), done -> answered.accept(null), answered);
    }

    // ---- delivering ----

    private Set<String> kafkaTopics(MqttSession of) {
        Set<String> topics = new LinkedHashSet<>();
        of.subscriptions()
                .values()
                .forEach(subscription ->
                        topics.addAll(services.settings().topics().kafkaTopics(subscription.filter())));
        return topics;
    }

    private void readAll() {
        for (String kafkaTopic : kafkaTopics(session)) {
            readings.computeIfAbsent(
                    kafkaTopic,
                    topic -> new TopicReading(topic, services, session, deliveries, requester, connection::execute));
        }
        readings.values().forEach(TopicReading::read);
    }

    private void acknowledged(MqttMessageIdVariableHeader id) {
        if (deliveries.acknowledged(id.messageId())) {
            deliveries.pump();
            readings.values().forEach(TopicReading::read);
        }
    }

    @Override
    public void drained() {
        if (state == State.OPEN) {
            deliveries.pump();
            readings.values().forEach(TopicReading::read);
        }
    }

    @Override
    public boolean isFull() {
        return connection.isFull();
    }

    @Override
    public void send(Delivery delivery, int packetId, boolean isAgain) {
        Publication publication = delivery.publication();
        MqttProperties properties = isV5()
                ? MessageHeaders.properties(
                        publication.headers(),
                        delivery.subscriptions(),
                        services.clock().millis())
                : MqttProperties.NO_PROPERTIES;
        MqttFixedHeader header = new MqttFixedHeader(
                MqttMessageType.PUBLISH, isAgain, MqttQoS.valueOf(delivery.qos()), delivery.retain(), 0);
        ByteBuffer bytes = codec.encode(new MqttPublishMessage(
                header,
                new MqttPublishVariableHeader(publication.topic(), packetId, properties),
                Unpooled.wrappedBuffer(publication.payload())));
        if (bytes.remaining() > longestPacket) {
            services.counters().tooLarge.increment();
            if (packetId != 0) {
                deliveries.acknowledged(packetId);
            }
            return;
        }
        services.counters().delivered.increment();
        if (isAgain) {
            services.counters().again.increment();
        }
        connection.send(bytes);
    }

    // ---- time ----

    /** Called about every second. Any thread. */
    void tickLater() {
        connection.execute(this::tick);
    }

    private void tick() {
        long idle = System.nanoTime() - activeAt;
        if (state == State.ENDED) {
            return;
        }
        if (state != State.OPEN) {
            if (idle > CONNECT_NANOS) {
                end();
                connection.close();
            }
        } else if (keepAliveNanos > 0 && idle > keepAliveNanos && holds == 0) {
            disconnect(MqttReasonCodes.Disconnect.KEEP_ALIVE_TIMEOUT, "was silent for too long");
        } else if (services.clock().millis() > validUntilMs) {
            disconnect(MqttReasonCodes.Disconnect.NOT_AUTHORIZED, "has shown a credential that has expired");
        } else {
            readings.values().forEach(TopicReading::read);
            commit();
        }
    }

    private void commit() {
        if (!session.isPersistent() || isCommitting) {
            return;
        }
        Map<TopicPartition, Long> moved = deliveries.moved();
        if (moved.isEmpty()) {
            return;
        }
        isCommitting = true;
        then(services.sessions().commit(session, moved), done -> isCommitting = false, failure -> {
            isCommitting = false;
            deliveries.forgetCommitted();
            log.debug("The positions of MQTT client {} are not committed", clientId, failure);
        });
    }

    // ---- the end ----

    /** DISCONNECT of the client. */
    private void leave(MqttMessage packet) {
        if (packet.variableHeader() instanceof MqttReasonCodeAndPropertiesVariableHeader reason) {
            number(reason.properties(), MqttProperties.MqttPropertyType.SESSION_EXPIRY_INTERVAL)
                    .map(Integer::toUnsignedLong)
                    .filter(seconds -> session.isPersistent())
                    .ifPresent(seconds -> session.expireAfter(Math.min(
                            seconds, services.settings().longestSession().toSeconds())));
            if (reason.reasonCode() != MqttReasonCodes.Disconnect.DISCONNECT_WITH_WILL_MESSAGE.byteValue()) {
                will = null;
            }
        } else {
            will = null;
        }
        end();
        connection.close();
    }

    private void disconnect(MqttReasonCodes.Disconnect reason, String why) {
        log.debug("Closing the connection of MQTT client {} of {}: it {}", clientId, connection.remote(), why);
        if (isV5() && state == State.OPEN) {
            send(MqttMessageBuilders.disconnect().reasonCode(reason.byteValue()).build());
        }
        end();
        connection.close();
    }

    /**
     * Another connection of the same client takes over. Any thread.
     *
     * @return completes when this connection does not use the session any more
     */
    CompletionStage<Void> takenOver() {
        connection.execute(() -> {
            if (state != State.ENDED) {
                services.counters().takenOver.increment();
                disconnect(MqttReasonCodes.Disconnect.SESSION_TAKEN_OVER, "has connected again");
            }
        });
        return released;
    }

    /** The settings have changed. Any thread. */
    void closeForChange() {
        connection.execute(() -> {
            if (state != State.ENDED) {
                disconnect(MqttReasonCodes.Disconnect.ADMINISTRATIVE_ACTION, "has to connect again");
            }
        });
    }

    @Override
    public void closed() {
        end();
        codec.close();
    }

    private void end() {
        if (state == State.ENDED) {
            return;
        }
        boolean wasOpen = state == State.OPEN;
        state = State.ENDED;
        readings.values().forEach(TopicReading::end);
        if (login != null) {
            login.close();
        }
        if (wasOpen) {
            letGo();
        }
        if (clientId != null) {
            services.sessions().release(clientId, this);
        }
        released.complete(null);
        onEnd.accept(this);
    }

    private void letGo() {
        session.leave(services.clock().millis());
        if (session.isPersistent()) {
            Map<TopicPartition, Long> moved = deliveries.moved();
            CompletionStage<Void> committed = moved.isEmpty()
                    ? CompletableFuture.completedFuture(null)
                    : services.sessions().commit(session, moved);
            committed
                    .thenCombine(services.sessions().save(session), (one, other) -> null)
                    .whenComplete(this::kept);
        } else {
            services.sessions().find(clientId).ifPresent(stored -> services.sessions()
                    .delete(stored, true)
                    .whenComplete(this::kept));
        }
        if (will != null) {
            leaveWill(will);
        }
    }

    /** A will with a delay is not published if the client comes back before. */
    private void leaveWill(Publication left) {
        long delay = Math.min(willDelaySeconds, session.expirySeconds());
        if (delay == 0) {
            services.counters().wills.increment();
            services.publisher().publishWill(left, requester);
            return;
        }
        String id = clientId;
        Requester by = requester;
        services.later(Duration.ofSeconds(delay), () -> {
            if (!services.sessions().isConnected(id)) {
                services.counters().wills.increment();
                services.publisher().publishWill(left, by);
            }
        });
    }

    private void kept(Object done, Throwable failure) {
        if (failure != null) {
            log.warn(
                    "What MQTT client {} has received is not stored: it may get messages again ({})",
                    clientId,
                    FeliceException.unwrap(failure).getMessage());
        }
    }
}
