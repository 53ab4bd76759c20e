package io.felice.wire.mqtt;

import io.felice.api.FeliceException;
import io.felice.api.TopicNames;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Maps MQTT's topics to Kafka's and back. A rule {@code sensors/#:measurements} puts the messages of all topics that
 * match the filter into one Kafka topic; the first rule that matches counts. The record's key is the MQTT topic, so that
 * the messages of an MQTT topic stay in order, and a compacted topic keeps the last of each.
 *
 * <p>A record whose key is no MQTT topic of its Kafka topic comes from a Kafka producer. Its MQTT topic is the part of
 * the rule's filter before the first wildcard, or the name of the Kafka topic if there is no such part. Immutable.
 */
record TopicMap(List<Rule> rules) {
    private static final int MOST_KEY_BYTES = 65_535;

    record Rule(TopicFilter filter, String kafkaTopic) {}

    TopicMap {
        rules = List.copyOf(rules);
    }

    /** @throws IllegalArgumentException with a sentence for the operator */
    static TopicMap parse(List<String> texts, Set<String> reserved) {
        List<Rule> rules = new ArrayList<>();
        for (String text : texts) {
            int colon = text.lastIndexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException(
                        "topics: \"" + text + "\" is not FILTER:TOPIC, for example sensors/#:measurements");
            }
            String kafkaTopic = text.substring(colon + 1).trim();
            try {
                TopicNames.check(kafkaTopic);
                rules.add(new Rule(TopicFilter.parse(text.substring(0, colon).trim()), kafkaTopic));
            } catch (FeliceException | IllegalArgumentException wrong) {
                throw new IllegalArgumentException("topics: " + wrong.getMessage(), wrong);
            }
            if (reserved.contains(kafkaTopic)) {
                throw new IllegalArgumentException("topics: " + kafkaTopic + " has other records");
            }
        }
        if (rules.isEmpty()) {
            throw new IllegalArgumentException("topics: there is no rule; #:mqtt is the default");
        }
        return new TopicMap(rules);
    }

    /** The Kafka topic with the messages of an MQTT topic; empty if no rule matches. */
    Optional<String> kafkaTopic(String mqttTopic) {
        return rules.stream()
                .filter(rule -> rule.filter.matches(mqttTopic))
                .map(Rule::kafkaTopic)
                .findFirst();
    }

    /** The Kafka topics that may have messages for a subscription. */
    Set<String> kafkaTopics(TopicFilter subscribed) {
        Set<String> topics = new LinkedHashSet<>();
        rules.stream().filter(rule -> rule.filter.overlaps(subscribed)).forEach(rule -> topics.add(rule.kafkaTopic));
        return topics;
    }

    /** The MQTT topic of a record; empty if the record is not for MQTT clients. */
    Optional<String> mqttTopic(String kafkaTopic, ByteBuffer key) {
        return key(key).filter(topic -> belongs(topic, kafkaTopic)).or(() -> rules.stream()
                .filter(rule -> rule.kafkaTopic.equals(kafkaTopic))
                .map(rule -> fixed(rule, kafkaTopic))
                .filter(topic -> belongs(topic, kafkaTopic))
                .findFirst());
    }

    private static String fixed(Rule rule, String kafkaTopic) {
        String fixed = rule.filter.fixedPart();
        return fixed.isEmpty() ? kafkaTopic : fixed;
    }

    private boolean belongs(String topic, String kafkaTopic) {
        return TopicFilter.isTopic(topic)
                && kafkaTopic(topic).filter(kafkaTopic::equals).isPresent();
    }

    private static Optional<String> key(ByteBuffer key) {
        if (key == null || key.remaining() > MOST_KEY_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(key.duplicate()).toString());
        } catch (CharacterCodingException noText) {
            return Optional.empty();
        }
    }
}
