package io.felice.api.config;

import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The configuration in force. It has the layers of Kafka; the first layer with a value wins: dynamic value of the
 * topic, dynamic value of this broker, dynamic value of all brokers (KIP-226), file, built-in default. Any thread may
 * call the methods; they do not block.
 */
@ProviderType
public interface Configs {
    /**
     * The configuration of a topic. For a topic that does not exist, the configuration of a new topic with this name.
     */
    TopicConfig topic(String topic);

    /** The configuration of this broker. */
    BrokerConfig broker();

    /**
     * All keys of a resource, in the order of their names, for DescribeConfigs.
     *
     * @throws io.felice.api.FeliceException UNKNOWN_TOPIC_OR_PARTITION, or INVALID_REQUEST for the id of another broker
     */
    List<ConfigEntry> describe(ConfigResource resource);

    /** The result of {@link #describe} for a topic, existing or not, whose dynamic values are {@code own}. */
    List<ConfigEntry> describeTopic(String topic, Map<String, String> own);

    /**
     * Checks one value: its type and range, and whether the storage engine that it names is running on this node. Does
     * not check the value together with other values; {@link #check(ConfigResource, Map)} does.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG with a sentence, or INVALID_REQUEST for a broker key that
     *     cannot be changed while the broker runs
     */
    void check(ConfigResource resource, String key, String value);

    /**
     * Checks whether the values of a resource fit together, with the values of lower layers and with the engine that
     * keeps the topic or will keep the new topic. A conflict that exists already and is not changed by {@code values}
     * is not an error.
     *
     * @param values all dynamic values that the resource will have. The caller has checked each of them
     * @throws io.felice.api.FeliceException INVALID_CONFIG with a sentence
     */
    void check(ConfigResource resource, Map<String, String> values);
}
