package io.felice.api.policy;

import io.felice.api.security.Requester;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** What a client wants to do with a topic. Later versions may have more kinds. */
@ProviderType
public interface TopicChange {
    /** The name of the topic. */
    String topic();

    /**
     * The client that asks, and its address, also if it is connected to another broker. Empty if the node asks by itself, or
     * if the broker that passed the request on has not proved that it is a broker (docs/operations.md). A policy that decides
     * by who asks must refuse a change without a requester.
     */
    default Optional<Requester> requester() {
        return Optional.empty();
    }

    /**
     * A topic is created, by a request for it, or because a client asked for the metadata of a topic that does not exist.
     *
     * @param configs the configs that the topic gets; those it does not have are the broker's defaults
     * @param requester see {@link TopicChange#requester}
     */
    record Creation(
            String topic,
            int partitions,
            int replicationFactor,
            Map<String, String> configs,
            Optional<Requester> requester)
            implements TopicChange {
        public Creation {
            configs = Map.copyOf(configs);
            Objects.requireNonNull(requester, "requester");
        }

        /** Nobody is known to ask. */
        public Creation(String topic, int partitions, int replicationFactor, Map<String, String> configs) {
            this(topic, partitions, replicationFactor, configs, Optional.empty());
        }
    }

    /**
     * A topic gets more partitions.
     *
     * @param requester see {@link TopicChange#requester}
     */
    record MorePartitions(String topic, int before, int after, Optional<Requester> requester) implements TopicChange {
        public MorePartitions {
            Objects.requireNonNull(requester, "requester");
        }

        /** Nobody is known to ask. */
        public MorePartitions(String topic, int before, int after) {
            this(topic, before, after, Optional.empty());
        }
    }

    /**
     * The configs of a topic are changed: those that the topic has for itself, by their names.
     *
     * @param requester see {@link TopicChange#requester}
     */
    record OtherConfigs(
            String topic, Map<String, String> before, Map<String, String> after, Optional<Requester> requester)
            implements TopicChange {
        public OtherConfigs {
            before = Map.copyOf(before);
            after = Map.copyOf(after);
            Objects.requireNonNull(requester, "requester");
        }

        /** Nobody is known to ask. */
        public OtherConfigs(String topic, Map<String, String> before, Map<String, String> after) {
            this(topic, before, after, Optional.empty());
        }
    }

    /**
     * A topic is deleted, with its records.
     *
     * @param requester see {@link TopicChange#requester}
     */
    record Deletion(String topic, Optional<Requester> requester) implements TopicChange {
        public Deletion {
            Objects.requireNonNull(requester, "requester");
        }

        /** Nobody is known to ask. */
        public Deletion(String topic) {
            this(topic, Optional.empty());
        }
    }
}
