package io.felice.api.config;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Configuration in force, by layers as in Kafka: topic, this broker's dynamic value, all brokers' dynamic value, file,
 * built-in default. From any thread; nothing blocks.
 */
@ProviderType
public interface Configs {
    /** What holds for this topic now; for a topic that does not exist, what a new one would get. */
    TopicConfig topic(String topic);

    /** What holds for this broker now. */
    BrokerConfig broker();

    /**
     * Every key of the resource with its value, source and synonyms, in order of names.
     *
     * @throws io.felice.api.FeliceException UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST for another broker's id
     */
    List<ConfigEntry> describe(ConfigResource resource);

    /**
     * Checks a value as the catalogue does, and beyond that what only a running node can know: whether an engine of that
     * name is here and can do what the topic asks for.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG with a sentence
     */
    void check(ConfigResource resource, String key, String value);
}
