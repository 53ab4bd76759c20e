package io.felice.api.cluster;

import io.felice.api.config.ConfigResource;
import java.util.Objects;
import java.util.UUID;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One change of the cluster, as kept in the metadata log. The cluster is what you get by replaying these in order into a
 * {@link ClusterView}. Records are whole values, not deltas of fields: replaying one twice changes nothing.
 */
@ProviderType
public sealed interface MetadataRecord {

    /** The cluster got its id; the first record of every log. */
    record ClusterNamed(String clusterId) implements MetadataRecord {
        public ClusterNamed {
            Objects.requireNonNull(clusterId, "clusterId");
        }
    }

    /**
     * A broker is there, in this incarnation.
     *
     * @param epoch grows with every registration of any broker; the broker epoch of Kafka
     */
    record BrokerRegistered(BrokerRegistration broker, long epoch) implements MetadataRecord {
        public BrokerRegistered {
            Objects.requireNonNull(broker, "broker");
        }
    }

    /** A broker of this epoch is gone (its newer incarnation, if there is one, is not meant). */
    record BrokerGone(int brokerId, long epoch) implements MetadataRecord {}

    /**
     * A broker that has registered is not admitted to the cluster; {@code reason} is a sentence for its operator. It changes
     * nothing in a view. Older versions may skip it.
     */
    record BrokerRefused(int brokerId, UUID incarnation, String reason) implements MetadataRecord {
        public BrokerRefused {
            Objects.requireNonNull(incarnation, "incarnation");
            Objects.requireNonNull(reason, "reason");
        }
    }

    /** A topic exists; its partitions follow as {@link PartitionChanged} in the same change. */
    record TopicCreated(UUID topicId, String topic) implements MetadataRecord {
        public TopicCreated {
            Objects.requireNonNull(topicId, "topicId");
            Objects.requireNonNull(topic, "topic");
        }
    }

    /** A topic with all its partitions and configs is gone. */
    record TopicDeleted(UUID topicId) implements MetadataRecord {
        public TopicDeleted {
            Objects.requireNonNull(topicId, "topicId");
        }
    }

    /** A partition exists, or any part of its state changed. */
    record PartitionChanged(UUID topicId, int partition, PartitionState state) implements MetadataRecord {
        public PartitionChanged {
            Objects.requireNonNull(topicId, "topicId");
            Objects.requireNonNull(state, "state");
        }
    }

    /** One dynamic config was set ({@code value} not null) or went back to what the layer below says (null). */
    record ConfigSet(ConfigResource resource, String key, String value) implements MetadataRecord {
        public ConfigSet {
            Objects.requireNonNull(resource, "resource");
            Objects.requireNonNull(key, "key");
        }
    }

    /** A block of producer ids belongs to this broker; no id is ever handed out twice. */
    record ProducerIdsAllocated(int brokerId, long firstId, int count) implements MetadataRecord {
        /** The first id of the next block. */
        public long nextId() {
            return firstId + count;
        }
    }
}
