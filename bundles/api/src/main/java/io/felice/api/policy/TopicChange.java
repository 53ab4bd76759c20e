package io.felice.api.policy;

import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/** What a client wants to do with a topic. Later versions may have more kinds. */
@ProviderType
public interface TopicChange {
    /** The name of the topic. */
    String topic();

    /**
     * A topic is created, by a request for it, or because a client asked for the metadata of a topic that does not exist.
     *
     * @param configs the configs that the topic gets; those it does not have are the broker's defaults
     */
    record Creation(String topic, int partitions, int replicationFactor, Map<String, String> configs)
            implements TopicChange {
        public Creation {
            configs = Map.copyOf(configs);
        }
    }

    /** A topic gets more partitions. */
    record MorePartitions(String topic, int before, int after) implements TopicChange {}

    /** The configs of a topic are changed: those that the topic has for itself, by their names. */
    record OtherConfigs(String topic, Map<String, String> before, Map<String, String> after) implements TopicChange {
        public OtherConfigs {
            before = Map.copyOf(before);
            after = Map.copyOf(after);
        }
    }

    /** A topic is deleted, with its records. */
    record Deletion(String topic) implements TopicChange {}
}
