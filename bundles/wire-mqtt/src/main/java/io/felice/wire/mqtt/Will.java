package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import java.util.Optional;

/**
 * The message that the broker publishes for a client whose connection breaks.
 *
 * @param delaySeconds the will delay interval: for so long the client may come back
 */
record Will(Publication message, long delaySeconds) {
    /**
     * The will in CONNECT, if the packet has one.
     *
     * @param now milliseconds since the epoch
     * @throws io.felice.api.FeliceException INVALID_TOPIC_EXCEPTION
     */
    static Optional<Will> in(MqttConnectMessage packet, String clientId, long now) {
        if (!packet.variableHeader().isWillFlag()) {
            return Optional.empty();
        }
        String topic = packet.payload().willTopic();
        if (!TopicFilter.isTopic(topic)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("the will's topic is none");
        }
        int qos = Math.min(1, packet.variableHeader().willQos());
        boolean retain = packet.variableHeader().isWillRetain();
        MqttProperties properties = packet.payload().willProperties();
        byte[] payload = packet.payload().willMessageInBytes();
        Publication message = new Publication(
                topic,
                payload == null ? new byte[0] : payload,
                qos,
                retain,
                MessageHeaders.of(properties, clientId, qos, retain, now));
        return Optional.of(new Will(
                message,
                MessageHeaders.number(properties, MqttPropertyType.WILL_DELAY_INTERVAL)
                        .orElse(0L)));
    }
}
