package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.PlacementRule;
import io.felice.api.config.TopicConfig;
import java.util.Map;

/**
 * The configs by which the controller decides, at one view: the value of the topic, else of all brokers, else of the
 * controller's node, as in Kafka.
 */
record ClusterConfigs(ClusterView view, BrokerConfig node) {
    /** The built-in defaults below the values in the view. */
    static ClusterConfigs of(ClusterView view) {
        return new ClusterConfigs(view, BrokerConfig.with(Map.of()));
    }

    ClusterConfigs at(ClusterView other) {
        return new ClusterConfigs(other, node);
    }

    int minInSync(String topic) {
        return Integer.parseInt(ofTopic(topic, TopicConfig.MIN_INSYNC_REPLICAS).trim());
    }

    boolean electsUncleanly(String topic) {
        return Boolean.parseBoolean(
                ofTopic(topic, TopicConfig.UNCLEAN_LEADER_ELECTION).trim());
    }

    /** The value of a key for the topic, or for a new topic with this name. */
    String ofTopic(String topic, String name) {
        String own = view.configs(ConfigResource.topic(topic)).get(name);
        ConfigKey key = TopicConfig.KEYS.get(name);
        if (own != null || key.brokerKey() == null) {
            return own == null ? key.defaultValue() : own;
        }
        return ofBrokers(key.brokerKey());
    }

    /** The value of a key of {@link BrokerConfig#KEYS} for all brokers. */
    String ofBrokers(String name) {
        String all = view.configs(ConfigResource.allBrokers()).get(name);
        return all == null ? node.get(name) : all;
    }

    /**
     * The engine that the topic's config names, else the one that was chosen when it was created, else the one that
     * {@code storage.placement} gives to the name.
     */
    String engineOf(String topic) {
        String named = ofTopic(topic, TopicConfig.STORAGE_ENGINE);
        return named.isEmpty() ? view.topic(topic).map(TopicView::engine).orElseGet(() -> placedEngine(topic)) : named;
    }

    /** The engine of a new topic with these configs. */
    String engineOf(String newTopic, Map<String, String> own) {
        String named = own.getOrDefault(TopicConfig.STORAGE_ENGINE, "");
        return named.isEmpty() ? placedEngine(newTopic) : named;
    }

    private String placedEngine(String topic) {
        return PlacementRule.engineOf(PlacementRule.parse(ofBrokers(BrokerConfig.STORAGE_PLACEMENT)), topic);
    }

    /** True if the broker gets no new replicas, because it is being drained. */
    boolean isDrained(int brokerId) {
        return "true".equals(view.configs(ConfigResource.broker(brokerId)).get(BrokerConfig.BROKER_DRAINED));
    }

    /** True if a record that was acknowledged is flushed before, so that it survives a power cut in such an engine. */
    boolean isFlushedBeforeItIsAcknowledged(String topic) {
        return ofTopic(topic, TopicConfig.STORAGE_DURABILITY).equals("power")
                || ofTopic(topic, TopicConfig.FLUSH_MESSAGES).equals("1");
    }

    boolean promisesNothing(String topic) {
        return ofTopic(topic, TopicConfig.STORAGE_DURABILITY).equals("none");
    }
}
