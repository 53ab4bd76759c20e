package io.felice.wire.mqtt;

import static io.netty.handler.codec.mqtt.MqttConnectReturnCode.CONNECTION_ACCEPTED;
import static io.netty.handler.codec.mqtt.MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID;
import static io.netty.handler.codec.mqtt.MqttConnectReturnCode.CONNECTION_REFUSED_PROTOCOL_ERROR;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Principal;
import io.felice.wire.mqtt.MqttInMemory.Client;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttVersion;
import org.junit.jupiter.api.Test;

/** Who may connect with a client identifier. */
class MqttClientIdTest {
    private final MqttInMemory mqtt = new MqttInMemory();

    private Client connect(String user, String clientId) {
        return mqtt.connect(
                Principal.user(user),
                MqttMessageBuilders.connect()
                        .protocolVersion(MqttVersion.MQTT_5)
                        .clientId(clientId)
                        .cleanSession(true));
    }

    @Test
    void somebodyElseDoesNotCloseTheConnectionThatHasTheClientIdentifier() {
        Client alice = connect("alice", "pump");

        Client mallory = connect("mallory", "pump");

        assertThat(mallory.code()).isEqualTo(CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID);
        assertThat(alice.isClosed()).isFalse();
        alice.subscribe("a");
        alice.publish("a", "still here");
        assertThat(alice.texts()).containsExactly("still here");
    }

    @Test
    void theSameUserTakesTheClientIdentifierOver() {
        Client before = connect("alice", "pump");

        Client now = connect("alice", "pump");

        assertThat(now.code()).isEqualTo(CONNECTION_ACCEPTED);
        assertThat(before.isClosed()).isTrue();
    }

    @Test
    void aReceiveMaximumOf0IsRefused() {
        Client client = mqtt.connect(
                "pump",
                true,
                0,
                connect -> connect.properties(MqttInMemory.properties(MqttPropertyType.RECEIVE_MAXIMUM, 0)));

        assertThat(client.code()).isEqualTo(CONNECTION_REFUSED_PROTOCOL_ERROR);
        assertThat(client.isClosed()).isTrue();
    }
}
