package io.felice.wire.mqtt;

import static io.felice.wire.mqtt.MqttInMemory.properties;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.SUBSCRIPTION_IDENTIFIER;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.wire.mqtt.MqttInMemory.Client;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttProperty;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption.RetainedHandlingPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a client gets for its subscriptions. */
class MqttSubscriptionTest {
    private static final MqttSubscriptionOption QOS_1 = MqttSubscriptionOption.onlyFromQos(MqttQoS.AT_LEAST_ONCE);
    private static final int QUOTA_EXCEEDED = 0x97;

    private final MqttInMemory mqtt = new MqttInMemory();
    private final Client publisher = mqtt.connect("publisher");

    @Test
    void aMessageThatIsDeliveredAgainHasTheDupFlagAndItsPacketIdentifier() {
        Client first = mqtt.connect("again", true, 3600, connect -> {});
        first.subscribe("a");
        publisher.publish("a", "x");
        // PUBLISH with QoS 1 and 7 bytes: the topic, the packet identifier 1, no properties, the payload.
        assertThat(first.bytes()).containsExactly(0x32, 7, 0, 1, 'a', 0, 1, 0, 'x');
        first.breakOff();

        Client again = mqtt.connect("again", false, 3600, connect -> {});

        // The same bytes, with DUP (8) in the first one.
        assertThat(again.bytes()).containsExactly(0x3A, 7, 0, 1, 'a', 0, 1, 0, 'x');
    }

    private static MqttSubscriptionOption retained(RetainedHandlingPolicy handling) {
        return new MqttSubscriptionOption(MqttQoS.AT_LEAST_ONCE, false, false, handling);
    }

    private List<String> retainedAfter(Client client, RetainedHandlingPolicy handling) {
        client.subscribe(MqttProperties.NO_PROPERTIES, retained(handling), "kept/#");
        return client.texts();
    }

    @Test
    void withRetainHandling0RetainedMessagesAreSentAtEachSubscribe() {
        publisher.publish("kept/a", "r", true, MqttProperties.NO_PROPERTIES);
        Client client = mqtt.connect("client");

        assertThat(retainedAfter(client, RetainedHandlingPolicy.SEND_AT_SUBSCRIBE))
                .containsExactly("r");
        assertThat(retainedAfter(client, RetainedHandlingPolicy.SEND_AT_SUBSCRIBE))
                .containsExactly("r");
    }

    @Test
    void withRetainHandling1RetainedMessagesAreSentForANewSubscriptionOnly() {
        publisher.publish("kept/a", "r", true, MqttProperties.NO_PROPERTIES);
        Client client = mqtt.connect("client");

        assertThat(retainedAfter(client, RetainedHandlingPolicy.SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS))
                .containsExactly("r");
        assertThat(retainedAfter(client, RetainedHandlingPolicy.SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS))
                .isEmpty();
    }

    @Test
    void withRetainHandling2NoRetainedMessagesAreSentButLaterMessagesAre() {
        publisher.publish("kept/a", "r", true, MqttProperties.NO_PROPERTIES);
        Client client = mqtt.connect("client");

        assertThat(retainedAfter(client, RetainedHandlingPolicy.DONT_SEND_AT_SUBSCRIBE))
                .isEmpty();
        publisher.publish("kept/a", "later");
        assertThat(client.texts()).containsExactly("later");
    }

    private static List<Object> identifiers(MqttPublishMessage message) {
        List<Object> identifiers = new ArrayList<>();
        for (MqttProperty<?> property :
                message.variableHeader().properties().getProperties(SUBSCRIPTION_IDENTIFIER.value())) {
            identifiers.add(property.value());
        }
        return identifiers;
    }

    @Test
    void aMessageHasTheIdentifiersOfAllSubscriptionsThatMatch() {
        Client client = mqtt.connect("client");
        client.subscribe(properties(SUBSCRIPTION_IDENTIFIER, 7), QOS_1, "a/#");
        client.subscribe(properties(SUBSCRIPTION_IDENTIFIER, 268_435_455), QOS_1, "a/b");
        client.subscribe(properties(SUBSCRIPTION_IDENTIFIER, 9), QOS_1, "c");
        client.subscribe(MqttProperties.NO_PROPERTIES, QOS_1, "a/+");

        publisher.publish("a/b", "x");

        assertThat(client.messages()).singleElement().satisfies(message -> assertThat(identifiers(message))
                .containsExactlyInAnyOrder(7, 268_435_455));
    }

    @Test
    void aRetainedMessageHasTheIdentifierOfItsSubscription() {
        publisher.publish("kept/a", "r", true, MqttProperties.NO_PROPERTIES);
        Client client = mqtt.connect("client");

        client.subscribe(properties(SUBSCRIPTION_IDENTIFIER, 7), QOS_1, "kept/a");

        assertThat(client.messages()).singleElement().satisfies(message -> assertThat(identifiers(message))
                .containsExactly(7));
    }

    @Test
    void onePacketAddsNoMoreSubscriptionsThanASessionMayHave() {
        Client client = mqtt.connect("client");
        String[] filters = IntStream.range(0, 1001).mapToObj(i -> "a/" + i).toArray(String[]::new);

        List<Integer> reasons = client.subscribe(MqttProperties.NO_PROPERTIES, QOS_1, filters);

        assertThat(reasons.subList(0, 1000)).containsOnly(1);
        assertThat(reasons.get(1000)).isEqualTo(QUOTA_EXCEEDED);
    }
}
