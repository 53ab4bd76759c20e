package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Eclipse Paho with MQTT 3.1.1 on one side, Kafka's clients on the other. */
@Timeout(120)
class PahoV3Test {
    private static MqttNode node;

    @BeforeAll
    static void start() {
        node = MqttNode.start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static MqttClient connect(String id, boolean clean) throws MqttException {
        MqttClient client = new MqttClient(node.uri(), id, new MemoryPersistence());
        client.connect(options(clean));
        return client;
    }

    private static MqttConnectOptions options(boolean clean) {
        MqttConnectOptions options = new MqttConnectOptions();
        options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
        options.setCleanSession(clean);
        return options;
    }

    private static void leave(MqttClient client) throws MqttException {
        client.disconnect();
        client.close();
    }

    private static BlockingQueue<String> subscribe(MqttClient client, String filter, int qos) throws MqttException {
        BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        client.subscribe(
                filter, qos, (topic, message) -> messages.add(topic + "=" + new String(message.getPayload(), UTF_8)));
        return messages;
    }

    private static String next(BlockingQueue<String> messages) throws InterruptedException {
        return messages.poll(60, TimeUnit.SECONDS);
    }

    @Test
    void aMessageBecomesARecordThatAKafkaConsumerReads() throws Exception {
        node.createTopic("measurements");
        MqttClient client = connect("publisher", true);

        client.publish("sensors/kitchen/temperature", MqttNode.bytes("21"), 1, false);
        client.publish("sensors/attic", MqttNode.bytes("7"), 0, false);
        client.publish("sensors/kitchen/temperature", MqttNode.bytes("22"), 1, false);
        leave(client);

        List<ConsumerRecord<String, String>> records = node.records("measurements");
        assertThat(records)
                .extracting(ConsumerRecord::key)
                .containsExactly("sensors/kitchen/temperature", "sensors/attic", "sensors/kitchen/temperature");
        assertThat(records).extracting(ConsumerRecord::value).containsExactly("21", "7", "22");
        assertThat(new String(records.get(0).headers().lastHeader("mqtt.client").value(), UTF_8))
                .isEqualTo("publisher");
    }

    @Test
    void aRecordOfAKafkaProducerAndAMessageReachASubscriber() throws Exception {
        MqttClient client = connect("subscriber", true);
        BlockingQueue<String> messages = subscribe(client, "home/+/lamp", 1);

        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            Java.get(producer.send(new ProducerRecord<>("mqtt", "home/attic/lamp", "on")));
            Java.get(producer.send(new ProducerRecord<>("mqtt", "home/attic/door", "open")));
        }
        assertThat(next(messages)).isEqualTo("home/attic/lamp=on");
        client.publish("home/cellar/lamp", MqttNode.bytes("off"), 1, false);

        assertThat(next(messages)).isEqualTo("home/cellar/lamp=off");
        leave(client);
    }

    @Test
    void aSessionThatIsKeptGetsWhatCameWhileItsClientWasAway() throws Exception {
        MqttClient first = connect("kept", false);
        BlockingQueue<String> messages = subscribe(first, "kept/#", 1);
        MqttClient publisher = connect("kept-publisher", true);
        publisher.publish("kept/a", MqttNode.bytes("0"), 1, false);
        assertThat(next(messages)).isEqualTo("kept/a=0");
        leave(first);
        for (int i = 1; i < 300; i++) {
            publisher.publish("kept/a", MqttNode.bytes("" + i), 1, false);
        }
        leave(publisher);

        BlockingQueue<String> later = new LinkedBlockingQueue<>();
        MqttClient again = new MqttClient(node.uri(), "kept", new MemoryPersistence());
        again.setCallback(new Collected(later));
        assertThat(again.connectWithResult(options(false)).getSessionPresent()).isTrue();

        List<String> got = new ArrayList<>();
        while (got.size() < 299) {
            got.add(next(later));
        }
        assertThat(got)
                .hasSize(299)
                .doesNotHaveDuplicates()
                .startsWith("kept/a=1")
                .endsWith("kept/a=299");
        leave(again);
        assertThat(connectionOf("kept")).isTrue();
        assertThat(connectionOf("kept")).as("after a clean session").isFalse();
    }

    /** Connects and deletes the session. @return whether it was there */
    private static boolean connectionOf(String id) throws MqttException {
        MqttClient client = new MqttClient(node.uri(), id, new MemoryPersistence());
        boolean present = client.connectWithResult(options(false)).getSessionPresent();
        leave(client);
        leave(connect(id, true));
        return present;
    }

    @Test
    void aRetainedMessageReachesALaterSubscriberUntilItIsDeleted() throws Exception {
        MqttClient client = connect("retaining", true);
        client.publish("retained/a", MqttNode.bytes("old"), 1, true);
        client.publish("retained/a", MqttNode.bytes("new"), 1, true);
        client.publish("retained/b", MqttNode.bytes("gone"), 1, true);
        client.publish("retained/b", new byte[0], 1, true);

        MqttClient later = connect("later", true);
        BlockingQueue<String> messages = subscribe(later, "retained/#", 1);

        assertThat(next(messages)).isEqualTo("retained/a=new");
        client.publish("retained/c", MqttNode.bytes("1"), 0, false);
        assertThat(next(messages)).isEqualTo("retained/c=1");
        leave(client);
        leave(later);
    }

    @Test
    void theWillOfAClientWhoseConnectionBreaksIsPublished() throws Exception {
        MqttClient watching = connect("watching", true);
        BlockingQueue<String> messages = subscribe(watching, "wills/#", 1);
        MqttClient breaking = new MqttClient(node.uri(), "breaking", new MemoryPersistence());
        MqttConnectOptions options = options(true);
        options.setWill("wills/breaking", MqttNode.bytes("gone"), 1, false);
        breaking.connect(options);

        breaking.disconnectForcibly(0, 1, false);

        assertThat(next(messages)).isEqualTo("wills/breaking=gone");
        leave(watching);
    }

    @Test
    void theSecondConnectionWithAClientIdTakesTheFirstOver() throws Exception {
        MqttClient first = connect("twin", true);
        BlockingQueue<String> lost = new LinkedBlockingQueue<>();
        first.setCallback(new Collected(lost));

        MqttClient second = connect("twin", true);

        assertThat(next(lost)).startsWith("lost");
        assertThat(second.isConnected()).isTrue();
        leave(second);
    }
}
