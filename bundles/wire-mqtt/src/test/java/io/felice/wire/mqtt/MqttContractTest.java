package io.felice.wire.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.wire.WireProtocol;
import io.felice.testkit.WireProtocolContract;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;

/** The wire keeps the contract, with clients that need no topic. */
class MqttContractTest extends WireProtocolContract {
    private final Queue<MqttWire> wires = new ConcurrentLinkedQueue<>();

    @AfterEach
    void stop() {
        wires.forEach(MqttWire::deactivate);
    }

    @Override
    protected WireProtocol wire() {
        MqttWire wire = MqttFakes.wire();
        wires.add(wire);
        return wire;
    }

    @Override
    protected List<Exchange> conversation() {
        return List.of(
                new Exchange(MqttFakes.connect(), true),
                new Exchange(MqttFakes.packet(0xC0, new byte[0]), true),
                new Exchange(MqttFakes.packet(0xA2, unsubscribe("a".repeat(200))), true),
                new Exchange(MqttFakes.packet(0xC0, new byte[0]), true));
    }

    private static byte[] unsubscribe(String filter) {
        return ByteBuffer.allocate(4 + filter.length())
                .putShort((short) 7)
                .putShort((short) filter.length())
                .put(filter.getBytes(UTF_8))
                .array();
    }
}
