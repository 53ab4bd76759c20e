package io.felice.wire.mqtt;

import io.felice.api.FeliceException;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireSession;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttReasonCodes;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.handler.codec.mqtt.MqttUnacceptableProtocolVersionException;
import io.netty.handler.codec.mqtt.MqttUnsubscribeMessage;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection of one MQTT client: passes its packets to the handlers, and closes it when the client breaks the rules
 * of the protocol or is silent. I/O thread of the connection, unless a method says otherwise.
 */
final class MqttConnection implements WireSession {
    private static final Logger log = LoggerFactory.getLogger(MqttConnection.class);

    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private enum State {
        /** The client has to send CONNECT. */
        NEW,
        /** CONNECT is not answered. */
        CONNECTING,
        OPEN,
        ENDED
    }

    private final WireConnection link;
    private final MqttServices services;
    private final Consumer<MqttConnection> onEnd;
    private final MqttCodec codec;
    private final CompletableFuture<Void> released = new CompletableFuture<>();

    private State state = State.NEW;
    private long activeAt = System.nanoTime();
    private int holds;

    /** Null unless CONNECT is being answered: it has the client's password. */
    private ConnectHandler connecting;
    /** Null until the client has logged in. */
    private MqttClient client;

    private ConnectedSession session;
    private PublishHandler publishing;
    private SubscribeHandler subscribing;

    /** @param onEnd called once, on any thread */
    MqttConnection(WireConnection link, MqttServices services, Consumer<MqttConnection> onEnd) {
        this.link = link;
        this.services = services;
        this.onEnd = onEnd;
        this.codec = new MqttCodec(services.settings().longestPacket(), ConnectHandler.LONGEST_CLIENT_ID);
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

    private void malformed(Throwable cause) {
        if (state == State.NEW && cause instanceof MqttUnacceptableProtocolVersionException) {
            refuse(
                    Connack.refused(MqttConnectReturnCode.CONNECTION_REFUSED_UNACCEPTABLE_PROTOCOL_VERSION, false),
                    cause.getMessage());
        } else {
            disconnect(MqttReasonCodes.Disconnect.MALFORMED_PACKET, "sent a malformed packet: " + cause.getMessage());
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
            case PUBLISH -> publishing.publish((MqttPublishMessage) packet);
            case PUBACK -> session.acknowledged(((MqttMessageIdVariableHeader) packet.variableHeader()).messageId());
            case SUBSCRIBE -> subscribing.subscribe((MqttSubscribeMessage) packet);
            case UNSUBSCRIBE -> subscribing.unsubscribe((MqttUnsubscribeMessage) packet);
            case PINGREQ -> send(MqttMessage.PINGRESP);
            case DISCONNECT -> {
                session.leave(packet);
                close();
            }
            default -> disconnect(MqttReasonCodes.Disconnect.PROTOCOL_ERROR, "sent " + type);
        }
    }

    void send(MqttMessage packet) {
        link.send(codec.encode(packet));
    }

    /** @return false if the packet has more bytes than {@code most}, and is not sent */
    boolean sendUpTo(long most, MqttMessage packet) {
        ByteBuffer bytes = codec.encode(packet);
        if (bytes.remaining() > most) {
            return false;
        }
        link.send(bytes);
        return true;
    }

    // ---- CONNECT ----

    private void connect(MqttConnectMessage packet) {
        state = State.CONNECTING;
        hold();
        connecting = new ConnectHandler(this, link, services, packet);
        connecting.connect();
    }

    /**
     * The client takes its client identifier, from another connection if that has it.
     *
     * @return completes when the other connection has let the session go
     */
    CompletionStage<Void> claim(MqttClient by) {
        client = by;
        return services.sessions().claim(by.id(), this);
    }

    /** True if the client has logged in as this principal. Any thread, once the connection has claimed a client id. */
    boolean isOf(String principal) {
        return client.requester().principal().toString().equals(principal);
    }

    void open(ConnectedSession entered, MqttConnAckMessage connack) {
        session = entered;
        publishing = new PublishHandler(this, link, services, client);
        subscribing = new SubscribeHandler(this, services, client, session);
        connecting.end();
        connecting = null;
        state = State.OPEN;
        send(connack);
        session.readAll();
        release();
    }

    /** Answers CONNECT, and closes the connection. */
    void refuse(MqttConnAckMessage connack, String why) {
        log.debug("MQTT client {} of {} is refused: {}", clientId(), link.remote(), why);
        send(connack);
        close();
    }

    private String clientId() {
        return client == null ? null : client.id();
    }

    // ---- one packet after the other ----

    /** No packet is handled until {@link #release} is called as often. */
    void hold() {
        if (holds++ == 0) {
            link.pauseReading();
        }
    }

    void release() {
        if (--holds == 0 && state != State.ENDED) {
            link.resumeReading();
        }
    }

    /**
     * Goes on with the outcome: at once if it is there, else on the I/O thread unless the connection has ended. A {@link
     * FeliceException} of {@code done} is passed to {@code failed}.
     */
    <T> void then(CompletionStage<T> stage, Consumer<T> done, Consumer<Throwable> failed) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        if (future.isDone()) {
            finish(future, done, failed);
        } else {
            future.whenComplete((value, failure) -> link.execute(() -> {
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

    // ---- time ----

    @Override
    public void drained() {
        if (state == State.OPEN) {
            session.goOn();
        }
    }

    /** Called about every second. Any thread. */
    void tickLater() {
        link.execute(this::tick);
    }

    private void tick() {
        switch (state) {
            case NEW, CONNECTING -> {
                if (idleNanos() > CONNECT_NANOS) {
                    close();
                }
            }
            case OPEN -> tickOpen();
            case ENDED -> {}
        }
    }

    private void tickOpen() {
        if (client.keepAliveNanos() > 0 && idleNanos() > client.keepAliveNanos() && holds == 0) {
            disconnect(MqttReasonCodes.Disconnect.KEEP_ALIVE_TIMEOUT, "was silent for too long");
        } else if (services.clock().millis() > client.validUntilMs()) {
            disconnect(MqttReasonCodes.Disconnect.NOT_AUTHORIZED, "has shown a credential that has expired");
        } else {
            session.goOn();
            session.commit();
        }
    }

    private long idleNanos() {
        return System.nanoTime() - activeAt;
    }

    // ---- the end ----

    /** Tells a client of MQTT 5 the reason, and closes the connection. */
    void disconnect(MqttReasonCodes.Disconnect reason, String why) {
        log.debug("Closing the connection of MQTT client {} of {}: it {}", clientId(), link.remote(), why);
        if (state == State.OPEN && client.isV5()) {
            send(MqttMessageBuilders.disconnect().reasonCode(reason.byteValue()).build());
        }
        close();
    }

    /**
     * Another connection of the same client takes over. Any thread.
     *
     * @return completes when this connection does not use the session any more
     */
    CompletionStage<Void> takenOver() {
        link.execute(() -> {
            if (state != State.ENDED) {
                services.counters().takenOver.increment();
                disconnect(MqttReasonCodes.Disconnect.SESSION_TAKEN_OVER, "has connected again");
            }
        });
        return released;
    }

    /** The settings have changed. Any thread. */
    void closeForChange() {
        link.execute(() -> {
            if (state != State.ENDED) {
                disconnect(MqttReasonCodes.Disconnect.ADMINISTRATIVE_ACTION, "has to connect again");
            }
        });
    }

    private void close() {
        end();
        link.close();
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
        state = State.ENDED;
        if (connecting != null) {
            connecting.end();
        }
        if (session != null) {
            session.end();
        }
        if (client != null) {
            services.sessions().release(client.id(), this);
        }
        released.complete(null);
        onEnd.accept(this);
    }
}
