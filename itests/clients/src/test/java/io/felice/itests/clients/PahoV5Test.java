package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Eclipse Paho with MQTT 5 on one side, Kafka's clients on the other. */
@Timeout(120)
class PahoV5Test {
    private static final int SHARED_NOT_SUPPORTED = 0x9E;

    private static MqttNode node;

    @BeforeAll
    static void start() {
        node = MqttNode.start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static MqttClient connect(String id, MqttConnectionOptions options) throws MqttException {
        MqttClient client = new MqttClient(node.uri(), id, new MemoryPersistence());
        client.connect(options);
        return client;
    }

    private static MqttClient connect(String id) throws MqttException {
        return connect(id, new MqttConnectionOptions());
    }

    private static void leave(MqttClient client) throws MqttException {
        client.disconnect();
        client.close();
    }

    private static BlockingQueue<MqttMessage> subscribe(MqttClient client, MqttSubscription subscription)
            throws MqttException {
        BlockingQueue<MqttMessage> messages = new LinkedBlockingQueue<>();
        client.setCallback(new Received(messages));
        client.subscribe(new MqttSubscription[] {subscription});
        return messages;
    }

    private static MqttMessage next(BlockingQueue<MqttMessage> messages) throws InterruptedException {
        MqttMessage message = messages.poll(60, TimeUnit.SECONDS);
        assertThat(message).as("a message").isNotNull();
        return message;
    }

    private static String text(MqttMessage message) {
        return new String(message.getPayload(), UTF_8);
    }

    @Test
    void theClientIsToldWhatThisBrokerDoesNotHave() throws MqttException {
        MqttClient client = new MqttClient(node.uri(), "", new MemoryPersistence());
        IMqttToken connected = client.connectWithResult(new MqttConnectionOptions());

        MqttProperties told = connected.getResponseProperties();

        assertThat(told.getMaximumQoS()).isEqualTo(1);
        assertThat(told.isSharedSubscriptionAvailable()).isFalse();
        assertThat(told.getTopicAliasMaximum()).isZero();
        assertThat(told.getReceiveMaximum()).isEqualTo(100);
        assertThat(told.getMaximumPacketSize()).isEqualTo(1 << 20);
        assertThat(told.getAssignedClientIdentifier()).startsWith("auto-");
        leave(client);
    }

    @Test
    void thePropertiesOfAMessageAreHeadersOfItsRecordAndComeBack() throws Exception {
        node.createTopic("measurements");
        MqttClient client = connect("properties");
        MqttSubscription subscription = new MqttSubscription("sensors/#", 1);
        BlockingQueue<MqttMessage> messages = subscribe(client, subscription);
        MqttProperties properties = new MqttProperties();
        properties.setContentType("text/plain");
        properties.setResponseTopic("answers");
        properties.setCorrelationData(new byte[] {1, 2, 0});
        properties.setMessageExpiryInterval(3600L);
        properties.setUserProperties(List.of(new UserProperty("room", "kitchen"), new UserProperty("room", "attic")));
        MqttMessage sent = new MqttMessage(MqttNode.bytes("21"), 1, false, properties);

        client.publish("sensors/a", sent);

        MqttMessage got = next(messages);
        assertThat(text(got)).isEqualTo("21");
        assertThat(got.getProperties().getContentType()).isEqualTo("text/plain");
        assertThat(got.getProperties().getResponseTopic()).isEqualTo("answers");
        assertThat(got.getProperties().getCorrelationData()).containsExactly(1, 2, 0);
        assertThat(got.getProperties().getMessageExpiryInterval()).isBetween(3500L, 3600L);
        assertThat(got.getProperties().getUserProperties())
                .extracting(UserProperty::getValue)
                .containsExactly("kitchen", "attic");
        ConsumerRecord<String, String> record = node.records("measurements").get(0);
        assertThat(record.key()).isEqualTo("sensors/a");
        assertThat(record.headers().headers("room")).hasSize(2);
        assertThat(record.headers().lastHeader("mqtt.content-type").value()).isEqualTo(MqttNode.bytes("text/plain"));
        leave(client);
    }

    @Test
    void theHeadersOfAKafkaRecordAreUserProperties() throws Exception {
        MqttClient client = connect("headers");
        BlockingQueue<MqttMessage> messages = subscribe(client, new MqttSubscription("from/kafka", 1));

        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            ProducerRecord<String, String> record = new ProducerRecord<>("mqtt", null, "from/kafka", "v");
            record.headers().add("trace", MqttNode.bytes("abc")).add("bytes", new byte[] {(byte) 0xff});
            Java.get(producer.send(record));
        }

        MqttMessage got = next(messages);
        assertThat(got.getProperties().getUserProperties()).containsExactly(new UserProperty("trace", "abc"));
        leave(client);
    }

    @Test
    void aClientThatAcknowledgesSlowlyGetsNoMoreThanItsReceiveMaximum() throws Exception {
        MqttConnectionOptions options = new MqttConnectionOptions();
        options.setReceiveMaximum(3);
        MqttClient slow = new MqttClient(node.uri(), "slow", new MemoryPersistence());
        slow.setManualAcks(true);
        slow.connect(options);
        BlockingQueue<MqttMessage> messages = subscribe(slow, new MqttSubscription("slow/#", 1));
        MqttClient publisher = connect("fast");
        for (int i = 0; i < 20; i++) {
            publisher.publish("slow/a", MqttNode.bytes("" + i), 1, false);
        }

        for (int i = 0; i < 20; i++) {
            MqttMessage got = next(messages);
            assertThat(text(got)).isEqualTo("" + i);
            assertThat(messages.size()).isLessThan(3);
            slow.messageArrivedComplete(got.getId(), got.getQos());
        }
        leave(slow);
        leave(publisher);
    }

    @Test
    void messagesThatAreNotAcknowledgedComeAgainAndOthersDoNot() throws Exception {
        MqttConnectionOptions options = new MqttConnectionOptions();
        options.setCleanStart(false);
        options.setSessionExpiryInterval(1000L);
        MqttClient first = new MqttClient(node.uri(), "again", new MemoryPersistence());
        first.setManualAcks(true);
        first.connect(options);
        BlockingQueue<MqttMessage> messages = subscribe(first, new MqttSubscription("again/#", 1));
        MqttClient publisher = connect("again-publisher");
        for (int i = 0; i < 5; i++) {
            publisher.publish("again/a", MqttNode.bytes("" + i), 1, false);
        }
        int[] ids = new int[5];
        for (int i = 0; i < 5; i++) {
            MqttMessage got = next(messages);
            ids[i] = got.getId();
            if (i % 2 == 0) {
                first.messageArrivedComplete(got.getId(), got.getQos());
            }
        }
        leave(first);

        MqttClient again = new MqttClient(node.uri(), "again", new MemoryPersistence());
        BlockingQueue<MqttMessage> later = new LinkedBlockingQueue<>();
        again.setCallback(new Received(later));
        again.connect(options);
        publisher.publish("again/a", MqttNode.bytes("last"), 1, false);

        for (int i = 1; i < 5; i += 2) {
            MqttMessage got = next(later);
            assertThat(text(got)).isEqualTo("" + i);
            assertThat(got.getId()).isEqualTo(ids[i]);
        }
        MqttMessage last = next(later);
        assertThat(text(last)).isEqualTo("last");
        assertThat(node.counted("delivered.again")).isEqualTo(2);
        leave(again);
        leave(publisher);
    }

    @Test
    void noLocalAndRetainAsPublishedAndTheIdentifierOfASubscriptionAreKept() throws Exception {
        MqttClient client = connect("options");
        MqttSubscription subscription = new MqttSubscription("options/#", 1);
        subscription.setNoLocal(true);
        subscription.setRetainAsPublished(true);
        BlockingQueue<MqttMessage> messages = subscribe(client, subscription);
        MqttClient other = connect("options-other");

        client.publish("options/a", MqttNode.bytes("mine"), 1, false);
        other.publish("options/a", MqttNode.bytes("other's"), 1, true);

        MqttMessage got = next(messages);
        assertThat(text(got)).isEqualTo("other's");
        assertThat(got.isRetained()).isTrue();
        assertThat(messages).isEmpty();
        leave(client);
        leave(other);
    }

    @Test
    void aSharedSubscriptionIsRefused() throws Exception {
        MqttClient client = connect("refused");

        assertThat(client.subscribe("$share/group/a", 1).getReasonCodes()).containsExactly(SHARED_NOT_SUPPORTED);

        leave(client);
    }
}
