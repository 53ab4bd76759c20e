package io.felice.wire.mqtt;

import io.felice.wire.mqtt.Deliveries.Delivery;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodes;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubAckPayload;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption.RetainedHandlingPolicy;
import io.netty.handler.codec.mqtt.MqttTopicSubscription;
import io.netty.handler.codec.mqtt.MqttUnsubscribeMessage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SUBSCRIBE and UNSUBSCRIBE of a client. The client may subscribe to the Kafka topics that it may read; those that are
 * missing are created. I/O thread of the connection.
 */
final class SubscribeHandler {
    private static final Logger log = LoggerFactory.getLogger(SubscribeHandler.class);

    private static final int MOST_SUBSCRIPTIONS = 1000;
    private static final int FAILED_V3 = 0x80;

    /** A subscription that a client asks for; without a subscription it is refused for a reason. */
    private static final class Asked {
        private final RetainedHandlingPolicy retainHandling;
        private MqttSubscription subscription;
        private MqttReasonCodes.SubAck reason;
        private boolean isNew;

        private Asked(
                RetainedHandlingPolicy retainHandling, MqttSubscription subscription, MqttReasonCodes.SubAck reason) {
            this.retainHandling = retainHandling;
            this.subscription = subscription;
            this.reason = reason;
        }

        private boolean isGranted() {
            return subscription != null;
        }

        private void refuse(MqttReasonCodes.SubAck why) {
            if (isGranted()) {
                subscription = null;
                reason = why;
            }
        }

        private boolean wantsRetained() {
            return switch (retainHandling) {
                case SEND_AT_SUBSCRIBE -> isGranted();
                case SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS -> isGranted() && isNew;
                case DONT_SEND_AT_SUBSCRIBE -> false;
            };
        }
    }

    private final MqttConnection connection;
    private final MqttServices services;
    private final MqttClient client;
    private final ConnectedSession session;

    SubscribeHandler(MqttConnection connection, MqttServices services, MqttClient client, ConnectedSession session) {
        this.connection = connection;
        this.services = services;
        this.client = client;
        this.session = session;
    }

    void subscribe(MqttSubscribeMessage packet) {
        int packetId = packet.variableHeader().messageId();
        int identifier = identifier(packet);
        List<Asked> all = new ArrayList<>();
        Set<String> filters = new HashSet<>(session.subscriptions().keySet());
        for (MqttTopicSubscription wanted : packet.payload().topicSubscriptions()) {
            all.add(asked(wanted, identifier, filters));
        }
        connection.hold();
        Consumer<Throwable> failed = failure -> {
            log.warn("MQTT client {} has not subscribed: {}", client.id(), failure.getMessage());
            all.forEach(asked -> asked.refuse(MqttReasonCodes.SubAck.UNSPECIFIED_ERROR));
            answer(packetId, all);
            connection.release();
        };
        connection.then(
                services.rights().readable(client.requester(), kafkaTopics(all)),
                readable -> {
                    all.forEach(asked -> limit(asked, readable));
                    connection.then(ready(readable), ready -> subscribe(packetId, all, readable, failed), failed);
                },
                failed);
    }

    private int identifier(MqttSubscribeMessage packet) {
        return client.isV5()
                ? MessageHeaders.number(
                                packet.idAndPropertiesVariableHeader().properties(),
                                MqttPropertyType.SUBSCRIPTION_IDENTIFIER)
                        .orElse(0L)
                        .intValue()
                : 0;
    }

    /** @param filters those of the session and of the packet so far */
    private Asked asked(MqttTopicSubscription wanted, int identifier, Set<String> filters) {
        RetainedHandlingPolicy retainHandling = wanted.option().retainHandling();
        if (wanted.topicFilter().startsWith("$share/")) {
            return new Asked(retainHandling, null, MqttReasonCodes.SubAck.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        if (filters.size() >= MOST_SUBSCRIPTIONS && !filters.contains(wanted.topicFilter())) {
            return new Asked(retainHandling, null, MqttReasonCodes.SubAck.QUOTA_EXCEEDED);
        }
        try {
            MqttSubscription subscription = new MqttSubscription(
                    TopicFilter.parse(wanted.topicFilter()),
                    Math.min(1, wanted.qualityOfService().value()),
                    wanted.option().isNoLocal(),
                    wanted.option().isRetainAsPublished(),
                    identifier);
            filters.add(wanted.topicFilter());
            return new Asked(
                    retainHandling,
                    subscription,
                    subscription.qos() == 0
                            ? MqttReasonCodes.SubAck.GRANTED_QOS_0
                            : MqttReasonCodes.SubAck.GRANTED_QOS_1);
        } catch (IllegalArgumentException noFilter) {
            return new Asked(retainHandling, null, MqttReasonCodes.SubAck.TOPIC_FILTER_INVALID);
        }
    }

    private Set<String> kafkaTopics(List<Asked> all) {
        Set<String> topics = new LinkedHashSet<>();
        all.stream().filter(Asked::isGranted).forEach(asked -> topics.addAll(kafkaTopics(asked)));
        return topics;
    }

    private Set<String> kafkaTopics(Asked asked) {
        return services.settings().topics().kafkaTopics(asked.subscription.filter());
    }

    private void limit(Asked asked, Set<String> readable) {
        if (!asked.isGranted()) {
            return;
        }
        Set<String> wanted = kafkaTopics(asked);
        if (wanted.isEmpty()) {
            asked.refuse(MqttReasonCodes.SubAck.TOPIC_FILTER_INVALID);
        } else if (wanted.stream().noneMatch(readable::contains)) {
            asked.refuse(MqttReasonCodes.SubAck.NOT_AUTHORIZED);
        }
    }

    /** Completes when the topics are there. */
    private CompletionStage<Void> ready(Set<String> kafkaTopics) {
        return CompletableFuture.allOf(kafkaTopics.stream()
                .map(topic -> services.topics().ready(topic, client.requester()).toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }

    private void subscribe(int packetId, List<Asked> all, Set<String> readable, Consumer<Throwable> failed) {
        kafkaTopics(all).stream().filter(readable::contains).forEach(session::beginAtEnd);
        all.stream().filter(Asked::isGranted).forEach(asked -> asked.isNew = session.subscribe(asked.subscription));
        connection.then(
                session.saved(),
                saved -> {
                    answer(packetId, all);
                    all.stream().filter(Asked::wantsRetained).forEach(asked -> deliverRetained(asked, readable));
                    session.readAll();
                    connection.release();
                },
                failed);
    }

    private void answer(int packetId, List<Asked> all) {
        List<Integer> codes = all.stream()
                .map(asked ->
                        asked.isGranted() || client.isV5() ? Byte.toUnsignedInt(asked.reason.byteValue()) : FAILED_V3)
                .toList();
        connection.send(new MqttSubAckMessage(
                new MqttFixedHeader(MqttMessageType.SUBACK, false, MqttQoS.AT_MOST_ONCE, false, 0),
                MqttMessageIdVariableHeader.from(packetId),
                new MqttSubAckPayload(codes)));
    }

    private void deliverRetained(Asked asked, Set<String> readable) {
        MqttSubscription subscription = asked.subscription;
        List<Integer> identifiers = subscription.identifier() == 0 ? List.of() : List.of(subscription.identifier());
        for (Publication publication : services.retained().matching(subscription.filter())) {
            if (services.settings()
                    .topics()
                    .kafkaTopic(publication.topic())
                    .filter(readable::contains)
                    .isPresent()) {
                int qos = Math.min(subscription.qos(), publication.qos());
                session.deliver(new Delivery(null, -1, publication, qos, true, identifiers));
            }
        }
    }

    void unsubscribe(MqttUnsubscribeMessage packet) {
        List<Short> codes = new ArrayList<>();
        for (String filter : packet.payload().topics()) {
            codes.add((short)
                    (session.unsubscribe(filter)
                            ? MqttReasonCodes.UnsubAck.SUCCESS.byteValue()
                            : MqttReasonCodes.UnsubAck.NO_SUBSCRIPTION_EXISTED.byteValue()));
        }
        session.forgetUnsubscribed();
        connection.hold();
        Consumer<Throwable> answered = failure -> {
            connection.send(MqttMessageBuilders.unsubAck()
                    .packetId(packet.variableHeader().messageId())
                    .addReasonCodes(codes.toArray(Short[]::new))
                    .build());
            connection.release();
        };
        connection.then(session.saved(), saved -> answered.accept(null), answered);
    }
}
