package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A node with a listener for MQTT clients beside that for Kafka clients. */
final class MqttNode implements AutoCloseable {
    private final FeliceNode node;

    private MqttNode(FeliceNode node) {
        this.node = node;
        Java.await("the MQTT listener is open", () -> port() != 0);
    }

    static MqttNode start() {
        return start(FeliceNode.inMemory());
    }

    static MqttNode start(FeliceNode.Builder builder) {
        return new MqttNode(
                builder.config("io.felice.network", "listeners", "PLAINTEXT://127.0.0.1:0,MQTT://127.0.0.1:0")
                        .config("io.felice.network", "listener.wire.map", "MQTT:mqtt")
                        .config("io.felice.wire.mqtt", "topics", "sensors/#:measurements,#:mqtt")
                        .start());
    }

    FeliceNode felice() {
        return node;
    }

    String bootstrap() {
        return node.bootstrap();
    }

    int port() {
        return ((Long) node.status("network.wires").cell("MQTT", "port").orElse(0L)).intValue();
    }

    String uri() {
        return "tcp://127.0.0.1:" + port();
    }

    long counted(String what) {
        return (Long) node.status("mqtt").value(what).orElseThrow();
    }

    /** All records of a topic with one partition. */
    List<ConsumerRecord<String, String>> records(String topic) {
        return Java.records(node.bootstrap(), topic, 0);
    }

    void createTopic(String topic) {
        Java.createTopic(node.bootstrap(), topic, 1, Map.of());
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @Override
    public void close() {
        node.close();
    }
}
