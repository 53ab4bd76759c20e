package io.felice.wire.mqtt;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.wire.WireConnection;
import io.felice.wire.mqtt.Deliveries.Delivery;
import io.felice.wire.mqtt.MqttSession.Position;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttPublishVariableHeader;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttReasonCodes;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session while its client is connected: its topics are read, its messages are delivered, and its positions are
 * committed. When the connection ends, the session is kept or deleted, and the client's will is published unless the
 * client has taken its leave. I/O thread of the connection.
 */
final class ConnectedSession implements Deliveries.Sender {
    private static final Logger log = LoggerFactory.getLogger(ConnectedSession.class);

    private final MqttConnection connection;
    private final WireConnection link;
    private final MqttServices services;
    private final MqttClient client;
    private final MqttSession session;
    private final Deliveries deliveries;
    private final Map<String, TopicReading> readings = new LinkedHashMap<>();
    private Optional<Will> will;
    private boolean isCommitting;

    ConnectedSession(
            MqttConnection connection,
            WireConnection link,
            MqttServices services,
            MqttClient client,
            MqttSession session,
            Optional<Will> will) {
        this.connection = connection;
        this.link = link;
        this.services = services;
        this.client = client;
        this.session = session;
        this.will = will;
        this.deliveries = new Deliveries(session, client.receiveMaximum(), this);
    }

    // ---- subscriptions ----

    /** By their filters. */
    Map<String, MqttSubscription> subscriptions() {
        return session.subscriptions();
    }

    /**
     * A topic that the session does not read yet is read from now on.
     *
     * @throws FeliceException if the topic's partitions are not there
     */
    void beginAtEnd(String kafkaTopic) {
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

    /** @return false if the session had a subscription with this filter, which is replaced */
    boolean subscribe(MqttSubscription subscription) {
        boolean isNew = !subscriptions().containsKey(subscription.filter().text());
        session.subscribe(subscription);
        return isNew;
    }

    /** @return false if there was no such subscription */
    boolean unsubscribe(String filter) {
        return session.unsubscribe(filter);
    }

    /** Ends the reading of topics that no subscription needs any more. */
    void forgetUnsubscribed() {
        Set<String> needed = kafkaTopics();
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
    }

    private Set<String> kafkaTopics() {
        return session.kafkaTopics(services.settings().topics());
    }

    // ---- delivering ----

    /** Reads all topics that the session has subscribed to. */
    void readAll() {
        for (String kafkaTopic : kafkaTopics()) {
            readings.computeIfAbsent(
                    kafkaTopic,
                    topic -> new TopicReading(topic, services, session, deliveries, client.requester(), link::execute));
        }
        goOn();
    }

    /** Sends what may be sent, and reads on if there is room. */
    void goOn() {
        deliveries.pump();
        readings.values().forEach(TopicReading::read);
    }

    void deliver(Delivery delivery) {
        deliveries.add(delivery);
    }

    /** PUBACK of the client. */
    void acknowledged(int packetId) {
        if (deliveries.acknowledged(packetId)) {
            goOn();
        }
    }

    @Override
    public boolean isFull() {
        return link.isFull();
    }

    @Override
    public void send(Delivery delivery, int packetId, boolean isAgain) {
        if (MessageHeaders.isExpired(
                delivery.publication().headers(), services.clock().millis())) {
            drop(packetId);
        } else if (connection.sendUpTo(client.maximumPacketSize(), publish(delivery, packetId, isAgain))) {
            services.counters().delivered.increment();
            if (isAgain) {
                services.counters().again.increment();
            }
        } else {
            services.counters().tooLarge.increment();
            drop(packetId);
        }
    }

    /** A message that is not sent counts as acknowledged. */
    private void drop(int packetId) {
        if (packetId != 0) {
            deliveries.acknowledged(packetId);
        }
    }

    private MqttPublishMessage publish(Delivery delivery, int packetId, boolean isAgain) {
        Publication publication = delivery.publication();
        MqttProperties properties = client.isV5()
                ? MessageHeaders.properties(
                        publication.headers(),
                        delivery.subscriptions(),
                        services.clock().millis())
                : MqttProperties.NO_PROPERTIES;
        return new MqttPublishMessage(
                new MqttFixedHeader(
                        MqttMessageType.PUBLISH, isAgain, MqttQoS.valueOf(delivery.qos()), delivery.retain(), 0),
                new MqttPublishVariableHeader(publication.topic(), packetId, properties),
                Unpooled.wrappedBuffer(publication.payload()));
    }

    // ---- storing ----

    /** Completes when the session with its positions survives a restart, if it has to. */
    CompletionStage<Void> saved() {
        if (!session.isPersistent()) {
            return CompletableFuture.completedFuture(null);
        }
        return committed().thenCombine(services.sessions().save(session), (one, other) -> null);
    }

    private CompletionStage<Void> committed() {
        Map<TopicPartition, Long> moved = deliveries.moved();
        return moved.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : services.sessions().commit(session, moved);
    }

    /** Commits the positions, if they have moved. */
    void commit() {
        if (!session.isPersistent() || isCommitting) {
            return;
        }
        isCommitting = true;
        connection.then(committed(), done -> isCommitting = false, failure -> {
            isCommitting = false;
            deliveries.forgetCommitted();
            log.debug("The positions of MQTT client {} are not committed", client.id(), failure);
        });
    }

    // ---- the end ----

    /** DISCONNECT of the client. The will is published only if the packet asks for that. */
    void leave(MqttMessage packet) {
        if (packet.variableHeader() instanceof MqttReasonCodeAndPropertiesVariableHeader reason) {
            MessageHeaders.number(reason.properties(), MqttPropertyType.SESSION_EXPIRY_INTERVAL)
                    .filter(seconds -> session.isPersistent())
                    .ifPresent(seconds -> session.expireAfter(Math.min(
                            seconds, services.settings().longestSession().toSeconds())));
            if (reason.reasonCode() == MqttReasonCodes.Disconnect.DISCONNECT_WITH_WILL_MESSAGE.byteValue()) {
                return;
            }
        }
        will = Optional.empty();
    }

    /** The connection has ended. */
    void end() {
        readings.values().forEach(TopicReading::end);
        session.leave(services.clock().millis());
        if (session.isPersistent()) {
            saved().whenComplete(this::stored);
        } else {
            services.sessions().find(client.id()).ifPresent(stored -> services.sessions()
                    .delete(stored, true)
                    .whenComplete(this::stored));
        }
        will.ifPresent(this::publish);
    }

    private void stored(Object done, Throwable failure) {
        if (failure != null) {
            log.warn(
                    "What MQTT client {} has received is not stored: it may get messages again ({})",
                    client.id(),
                    FeliceException.unwrap(failure).getMessage());
        }
    }

    /** A will with a delay is not published if the client comes back to its session before. */
    private void publish(Will left) {
        long delaySeconds = Math.min(left.delaySeconds(), session.expirySeconds());
        if (delaySeconds == 0) {
            publishNow(left);
        } else {
            services.wills().publishAfter(delaySeconds, client.id(), () -> publishNow(left));
        }
    }

    private void publishNow(Will left) {
        services.counters().wills.increment();
        services.publisher().publishWill(left.message(), client.requester());
    }
}
