package io.felice.api.config;

import java.util.List;
import java.util.Map;
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
     * Every key of the resource that has a value, with its source and synonyms, in order of names.
     *
     * @throws io.felice.api.FeliceException UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST for another broker's id
     */
    List<ConfigEntry> describe(ConfigResource resource);

    /** What {@link #describe} says of the topic if it has these values of its own, whether it exists already or not. */
    List<ConfigEntry> describeTopic(String topic, Map<String, String> own);

    /**
     * Checks one value for itself, as the catalogue does, and beyond that what only a running node can know: whether an
     * engine of that name is here. Whether values go together is {@link #check(ConfigResource, Map)}'s to say.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG with a sentence; INVALID_REQUEST for a broker key that cannot be
     *     changed while the broker runs
     */
    void check(ConfigResource resource, String key, String value);

    /**
     * Checks whether a resource can have these values together, with the layers below them and the engine that keeps the
     * topic, or will keep it if it is new. What was so before and is not changed is not asked about again.
     *
     * @param values every value of its own that the resource would have, each checked for itself already
     * @throws io.felice.api.FeliceException INVALID_CONFIG with a sentence
     */
    void check(ConfigResource resource, Map<String, String> values);
}
