package io.felice.wire.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.testkit.FakeWireConnection;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client may not send ends its connection. */
class MqttConnectionTest {
    private static final int CONNACK = 0x20;
    private static final int PINGREQ = 0xC0;

    private final MqttWire wire = MqttFakes.wire();
    private final FakeWireConnection connection = new FakeWireConnection(wire, false).open();

    @AfterEach
    void stop() {
        wire.deactivate();
    }

    private void connect() {
        connection.receive(MqttFakes.connect());
        await().pollInSameThread().until(() -> {
            connection.runTasks();
            byte[] sent = connection.takeSent();
            return sent.length > 0 && sent[0] == CONNACK && sent[3] == 0;
        });
        connection.runTasks();
    }

    private static byte[] publish(int flags, String topic) {
        ByteBuffer body = ByteBuffer.allocate(4 + topic.length());
        body.putShort((short) topic.length()).put(topic.getBytes(UTF_8)).putShort((short) 1);
        return MqttFakes.packet(0x30 | flags, body.array());
    }

    @Test
    void thePacketsOfAClientAreReadAfterItIsConnected() {
        connect();

        connection.receive(MqttFakes.packet(PINGREQ, new byte[0]));

        assertThat(connection.takeSent()).containsExactly(0xD0, 0);
        assertThat(connection.isClosed()).isFalse();
    }

    @Test
    void aPacketBeforeConnectEndsTheConnection() {
        connection.receive(MqttFakes.packet(PINGREQ, new byte[0]));

        assertThat(connection.isClosed()).isTrue();
    }

    @Test
    void aSecondConnectEndsTheConnection() {
        connect();

        connection.receive(MqttFakes.connect());

        assertThat(connection.isClosed()).isTrue();
    }

    @Test
    void aMessageOfQos2EndsTheConnection() {
        connect();

        connection.receive(publish(4, "a"));

        assertThat(connection.isClosed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/#", "a/+", ""})
    void aMessageToNoTopicEndsTheConnection(String topic) {
        connect();

        connection.receive(publish(2, topic));

        assertThat(connection.isClosed()).isTrue();
    }

    @Test
    void aMessageThatNoRuleMatchesIsNotAcknowledged() {
        connect();

        connection.receive(publish(2, "$SYS/a"));

        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.takeSent()).isEmpty();
    }

    @Test
    void aPacketThatIsTooLongIsRefusedBeforeItIsReceived() {
        assertThatThrownBy(() -> connection.receive(new byte[] {0x30, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f}))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(connection.frames()).isZero();
    }

    @Test
    void theLengthOfAPacketHasAtMostFourBytes() {
        ByteBuffer five = ByteBuffer.wrap(new byte[] {0x30, (byte) 0x80, (byte) 0x80, (byte) 0x80, (byte) 0x80, 1});

        assertThatThrownBy(() -> wire.frameLength(five)).isInstanceOf(IllegalArgumentException.class);
    }
}
