package io.felice.wire.mqtt;

import static io.felice.wire.mqtt.MqttInMemory.number;
import static io.felice.wire.mqtt.MqttInMemory.properties;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.PUBLICATION_EXPIRY_INTERVAL;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.RECEIVE_MAXIMUM;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.WILL_DELAY_INTERVAL;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.wire.mqtt.MqttInMemory.Client;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The intervals of MQTT 5: will delay, session expiry and message expiry. */
class MqttTimesTest {
    private final MqttInMemory mqtt = new MqttInMemory();

    private Client watching() {
        Client client = mqtt.connect("watching");
        client.subscribe("wills/#");
        return client;
    }

    /** A client whose session is kept for an hour, and whose will waits for a minute. */
    private Client withWill(boolean isCleanStart) {
        return mqtt.connect("wilful", isCleanStart, 3600, connect -> connect.willFlag(true)
                .willTopic("wills/a")
                .willMessage("gone".getBytes(UTF_8))
                .willQoS(MqttQoS.AT_LEAST_ONCE)
                .willProperties(properties(WILL_DELAY_INTERVAL, 60)));
    }

    @Test
    void aWillIsPublishedWhenItsDelayIsOver() {
        Client watching = watching();
        withWill(true).breakOff();

        mqtt.pass(Duration.ofSeconds(59));
        assertThat(watching.texts()).isEmpty();
        mqtt.pass(Duration.ofSeconds(1));
        assertThat(watching.texts()).containsExactly("gone");
    }

    @Test
    void aWillWaitsNoLongerThanItsSessionIsKept() {
        Client watching = watching();
        mqtt.connect("brief", true, 10, connect -> connect.willFlag(true)
                        .willTopic("wills/a")
                        .willMessage("gone".getBytes(UTF_8))
                        .willProperties(properties(WILL_DELAY_INTERVAL, 60)))
                .breakOff();

        mqtt.pass(Duration.ofSeconds(10));

        assertThat(watching.texts()).containsExactly("gone");
    }

    @Test
    void aClientThatDisconnectsLeavesNoWill() {
        Client watching = watching();
        withWill(true).disconnect();

        mqtt.pass(Duration.ofSeconds(61));

        assertThat(watching.texts()).isEmpty();
    }

    @Test
    void aClientThatComesBackToItsSessionTakesItsWillBackEvenIfItLeavesAgain() {
        Client watching = watching();
        withWill(true).breakOff();

        withWill(false).disconnect();
        mqtt.pass(Duration.ofSeconds(61));

        assertThat(watching.texts()).isEmpty();
    }

    @Test
    void aWillIsPublishedOnceIfTheConnectionBreaksTwice() {
        Client watching = watching();
        withWill(true).breakOff();
        mqtt.pass(Duration.ofSeconds(30));
        withWill(false).breakOff();

        mqtt.pass(Duration.ofSeconds(40));
        assertThat(watching.texts()).isEmpty();
        mqtt.pass(Duration.ofSeconds(20));
        assertThat(watching.texts()).containsExactly("gone");
    }

    @Test
    void aCleanStartEndsTheSessionAndPublishesItsWill() {
        Client watching = watching();
        withWill(true).breakOff();

        withWill(true);

        assertThat(watching.texts()).containsExactly("gone");
    }

    @Test
    void aSessionIsKeptForItsExpiryInterval() {
        mqtt.connect("kept", false, 100, connect -> {}).breakOff();

        mqtt.pass(Duration.ofSeconds(100));
        Client again = mqtt.connect("kept", false, 100, connect -> {});
        assertThat(again.isSessionPresent()).isTrue();
        again.breakOff();
        mqtt.pass(Duration.ofSeconds(101));

        assertThat(mqtt.storedSessions()).isZero();
        assertThat(mqtt.connect("kept", false, 100, connect -> {}).isSessionPresent())
                .isFalse();
    }

    @Test
    void aSessionWithoutExpiryIntervalEndsWithItsConnection() {
        mqtt.connect("brief", false, 0, connect -> {}).breakOff();

        assertThat(mqtt.connect("brief", false, 0, connect -> {}).isSessionPresent())
                .isFalse();
    }

    @Test
    void aMessageIsDeliveredUntilItExpiresWithTheTimeThatIsLeft() {
        Client publisher = mqtt.connect("publisher");
        Client client = mqtt.connect("kept", true, 3600, connect -> {});
        client.subscribe("a");
        client.breakOff();
        publisher.publish("a", "short", false, properties(PUBLICATION_EXPIRY_INTERVAL, 30));
        publisher.publish("a", "long", false, properties(PUBLICATION_EXPIRY_INTERVAL, 100));

        mqtt.pass(Duration.ofSeconds(30));
        List<MqttPublishMessage> got =
                mqtt.connect("kept", false, 3600, connect -> {}).messages();

        assertThat(got).hasSize(1);
        assertThat(got.get(0).payload().toString(UTF_8)).isEqualTo("long");
        assertThat(number(got.get(0), PUBLICATION_EXPIRY_INTERVAL)).contains(70);
    }

    @Test
    void aMessageThatExpiresWhileItWaitsForItsClientIsNotSent() {
        Client publisher = mqtt.connect("publisher");
        MqttProperties oneAtATime = properties(RECEIVE_MAXIMUM, 1);
        Client slow = mqtt.connect("slow", true, 0, connect -> connect.properties(oneAtATime));
        slow.subscribe("a");
        publisher.publish("a", "first");
        publisher.publish("a", "expires", false, properties(PUBLICATION_EXPIRY_INTERVAL, 30));
        publisher.publish("a", "last");
        assertThat(slow.texts()).containsExactly("first");

        mqtt.pass(Duration.ofSeconds(31));
        slow.acknowledge(1);

        assertThat(slow.texts()).containsExactly("last");
    }
}
