package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;

/** CONNACK, the answer to CONNECT. */
final class Connack {
    private Connack() {}

    /** @param isAssigned true if the broker has made the client identifier */
    static MqttConnAckMessage accepted(
            MqttClient client,
            boolean isAssigned,
            boolean sessionPresent,
            long sessionExpirySeconds,
            MqttSettings settings) {
        MqttProperties properties =
                client.isV5() ? limits(settings, sessionExpirySeconds) : MqttProperties.NO_PROPERTIES;
        if (client.isV5() && isAssigned) {
            properties.add(new MqttProperties.StringProperty(
                    MqttPropertyType.ASSIGNED_CLIENT_IDENTIFIER.value(), client.id()));
        }
        return MqttMessageBuilders.connAck()
                .returnCode(MqttConnectReturnCode.CONNECTION_ACCEPTED)
                .sessionPresent(sessionPresent)
                .properties(properties)
                .build();
    }

    /** What the client has to know about this broker. */
    private static MqttProperties limits(MqttSettings settings, long sessionExpirySeconds) {
        MqttProperties properties = new MqttProperties();
        add(properties, MqttPropertyType.MAXIMUM_QOS, 1);
        add(properties, MqttPropertyType.SHARED_SUBSCRIPTION_AVAILABLE, 0);
        add(properties, MqttPropertyType.TOPIC_ALIAS_MAXIMUM, 0);
        add(properties, MqttPropertyType.RECEIVE_MAXIMUM, settings.receiveMaximum());
        add(properties, MqttPropertyType.MAXIMUM_PACKET_SIZE, settings.longestPacket());
        add(properties, MqttPropertyType.SESSION_EXPIRY_INTERVAL, (int) sessionExpirySeconds);
        return properties;
    }

    private static void add(MqttProperties properties, MqttPropertyType type, int value) {
        properties.add(new MqttProperties.IntegerProperty(type.value(), value));
    }

    /** @param code that of MQTT 5 */
    static MqttConnAckMessage refused(MqttConnectReturnCode code, boolean isV5) {
        return MqttMessageBuilders.connAck()
                .returnCode(isV5 ? code : forVersion3(code))
                .sessionPresent(false)
                .build();
    }

    /** The code of MQTT 5 for a failure. */
    static MqttConnectReturnCode codeOf(Throwable failure) {
        ErrorCode code = FeliceException.codeOf(failure);
        if (code == ErrorCode.SASL_AUTHENTICATION_FAILED || code == ErrorCode.UNSUPPORTED_SASL_MECHANISM) {
            return MqttConnectReturnCode.CONNECTION_REFUSED_BAD_USERNAME_OR_PASSWORD;
        }
        return code == ErrorCode.INVALID_TOPIC_EXCEPTION
                ? MqttConnectReturnCode.CONNECTION_REFUSED_TOPIC_NAME_INVALID
                : MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE_5;
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
}
