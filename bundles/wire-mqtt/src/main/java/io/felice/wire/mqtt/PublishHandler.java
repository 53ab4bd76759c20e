package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.wire.WireConnection;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttReasonCodes;
import java.util.ArrayDeque;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PUBLISH of a client: its message is appended, and acknowledged with QoS 1. The next packet waits until the append has
 * begun, so that messages are appended in the order in which they come. I/O thread of the connection.
 */
final class PublishHandler {
    private static final Logger log = LoggerFactory.getLogger(PublishHandler.class);

    /** The PUBACK of a message. They are sent in the order of the messages. */
    private static final class Puback {
        private final int packetId;
        private boolean isDone;
        private byte reason;

        private Puback(int packetId) {
            this.packetId = packetId;
        }
    }

    private final MqttConnection connection;
    private final WireConnection link;
    private final MqttServices services;
    private final MqttClient client;
    private final ArrayDeque<Puback> pubacks = new ArrayDeque<>();
    private int appending;
    private boolean isAppendingMost;

    PublishHandler(MqttConnection connection, WireConnection link, MqttServices services, MqttClient client) {
        this.connection = connection;
        this.link = link;
        this.services = services;
        this.client = client;
    }

    void publish(MqttPublishMessage packet) {
        if (isRefused(packet)) {
            return;
        }
        Publication publication = publication(packet);
        Puback puback = new Puback(packet.variableHeader().packetId());
        if (publication.qos() > 0) {
            pubacks.add(puback);
        }
        begins();
        append(publication, failure -> ended(publication, puback, failure));
    }

    private boolean isRefused(MqttPublishMessage packet) {
        int qos = packet.fixedHeader().qosLevel().value();
        String topic = packet.variableHeader().topicName();
        if (qos > 1) {
            connection.disconnect(MqttReasonCodes.Disconnect.QOS_NOT_SUPPORTED, "published with QoS 2");
        } else if (packet.variableHeader().properties().getProperty(MqttPropertyType.TOPIC_ALIAS.value()) != null) {
            connection.disconnect(MqttReasonCodes.Disconnect.TOPIC_ALIAS_INVALID, "published with a topic alias");
        } else if (!TopicFilter.isTopic(topic)) {
            connection.disconnect(MqttReasonCodes.Disconnect.TOPIC_NAME_INVALID, "published to \"" + topic + "\"");
        } else if (client.isV5() && qos == 1 && pubacks.size() >= receiveMaximum()) {
            connection.disconnect(MqttReasonCodes.Disconnect.RECEIVE_MAXIMUM_EXCEEDED, "did not wait for PUBACK");
        } else {
            return false;
        }
        return true;
    }

    private int receiveMaximum() {
        return services.settings().receiveMaximum();
    }

    private Publication publication(MqttPublishMessage packet) {
        int qos = packet.fixedHeader().qosLevel().value();
        boolean retain = packet.fixedHeader().isRetain();
        return new Publication(
                packet.variableHeader().topicName(),
                ByteBufUtil.getBytes(packet.payload()),
                qos,
                retain,
                MessageHeaders.of(
                        packet.variableHeader().properties(),
                        client.id(),
                        qos,
                        retain,
                        services.clock().millis()));
    }

    /** Limits the messages that are being appended, also those of QoS 0. */
    private void begins() {
        appending++;
        if (appending >= receiveMaximum() && !isAppendingMost) {
            isAppendingMost = true;
            connection.hold();
        }
    }

    /** @param ended gets null, or the failure */
    private void append(Publication publication, Consumer<Throwable> ended) {
        connection.hold();
        Consumer<Throwable> failed = failure -> {
            connection.release();
            ended.accept(failure);
        };
        connection.then(
                services.publisher().allowed(publication, client.requester()),
                kafkaTopic -> connection.then(
                        services.topics().ready(kafkaTopic, client.requester()),
                        partitions -> {
                            CompletionStage<Void> appended =
                                    services.publisher().append(publication, kafkaTopic, partitions, link.turn());
                            connection.release();
                            connection.then(appended, done -> ended.accept(null), ended);
                        },
                        failed),
                failed);
    }

    private void ended(Publication publication, Puback puback, Throwable failure) {
        appending--;
        if (isAppendingMost && appending < receiveMaximum()) {
            isAppendingMost = false;
            connection.release();
        }
        count(publication, failure);
        if (publication.qos() == 0) {
            return;
        }
        MqttReasonCodes.PubAck reason = failure == null ? MqttReasonCodes.PubAck.SUCCESS : reasonOf(failure);
        if (reason == null || failure != null && !client.isV5()) {
            // Neither acknowledged nor lost: the client sends the message again when it has connected again.
            connection.disconnect(
                    FeliceException.codeOf(failure) == ErrorCode.TOPIC_AUTHORIZATION_FAILED
                            ? MqttReasonCodes.Disconnect.NOT_AUTHORIZED
                            : MqttReasonCodes.Disconnect.SERVER_BUSY,
                    "a message to " + publication.topic() + " is not appended: " + failure.getMessage());
            return;
        }
        puback.isDone = true;
        puback.reason = reason.byteValue();
        sendPubacks();
    }

    private void count(Publication publication, Throwable failure) {
        if (failure == null) {
            services.counters().published.increment();
        } else {
            services.counters().refused.increment();
            log.debug("A message of MQTT client {} to {} is refused: {}", client.id(), publication.topic(), failure);
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

    private void sendPubacks() {
        while (!pubacks.isEmpty() && pubacks.peek().isDone) {
            Puback puback = pubacks.poll();
            connection.send(MqttMessageBuilders.pubAck()
                    .packetId(puback.packetId)
                    .reasonCode(puback.reason)
                    .build());
        }
    }
}
