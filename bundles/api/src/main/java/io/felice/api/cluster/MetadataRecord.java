package io.felice.api.cluster;

import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.util.Objects;
import java.util.UUID;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One record of the metadata log. A {@link ClusterView} is built by replaying the records in order. A record has the
 * whole new value and not a difference, so replaying it twice has the same result as replaying it once.
 */
@ProviderType
public sealed interface MetadataRecord {

    /** The cluster got its id. This is the first record of every log. */
    record ClusterNamed(String clusterId) implements MetadataRecord {
        public ClusterNamed {
            Objects.requireNonNull(clusterId, "clusterId");
        }
    }

    /**
     * A broker is alive, in this incarnation.
     *
     * @param epoch the broker epoch, which grows with every registration of any broker
     */
    record BrokerRegistered(BrokerRegistration broker, long epoch) implements MetadataRecord {
        public BrokerRegistered {
            Objects.requireNonNull(broker, "broker");
        }
    }

    /**
     * A broker is no longer alive in this broker epoch. The record has no effect if the broker has registered again
     * since.
     */
    record BrokerGone(int brokerId, long epoch) implements MetadataRecord {}

    /**
     * A broker is about to stop: it gets no leadership and does not join in-sync sets in this broker epoch. Older versions
     * of Felice may skip the record.
     */
    record BrokerLeaving(int brokerId, long epoch) implements MetadataRecord {}

    /**
     * A broker that is not alive was removed from the cluster, which forgets its last registration. Older versions of
     * Felice may skip the record.
     */
    record BrokerRemoved(int brokerId) implements MetadataRecord {}

    /**
     * A broker that has registered is not admitted to the cluster. The record changes nothing in a view, and older
     * versions of Felice may skip it.
     *
     * @param reason a sentence for the operator of the broker
     */
    record BrokerRefused(int brokerId, UUID incarnation, String reason) implements MetadataRecord {
        public BrokerRefused {
            Objects.requireNonNull(incarnation, "incarnation");
            Objects.requireNonNull(reason, "reason");
        }
    }

    /**
     * A topic was created. Its partitions follow as {@link PartitionChanged} in the same change of the log.
     *
     * @param engine see {@link TopicView#engine}
     */
    record TopicCreated(UUID topicId, String topic, String engine) implements MetadataRecord {
        /** A topic without a chosen engine. */
        public TopicCreated(UUID topicId, String topic) {
            this(topicId, topic, null);
        }

        public TopicCreated {
            Objects.requireNonNull(topicId, "topicId");
            Objects.requireNonNull(topic, "topic");
        }
    }

    /** A topic was deleted, with all its partitions and configs. */
    record TopicDeleted(UUID topicId) implements MetadataRecord {
        public TopicDeleted {
            Objects.requireNonNull(topicId, "topicId");
        }
    }

    /** A partition was created, or any part of its state has changed. */
    record PartitionChanged(UUID topicId, int partition, PartitionState state) implements MetadataRecord {
        public PartitionChanged {
            Objects.requireNonNull(topicId, "topicId");
            Objects.requireNonNull(state, "state");
        }
    }

    /**
     * A dynamic config was set or removed.
     *
     * @param value null if the config was removed, so that the value of the next layer of
     *     {@link io.felice.api.config.Configs} applies
     */
    record ConfigSet(ConfigResource resource, String key, String value) implements MetadataRecord {
        public ConfigSet {
            Objects.requireNonNull(resource, "resource");
            Objects.requireNonNull(key, "key");
        }
    }

    /** A broker got a block of producer ids. No id is in two blocks. */
    record ProducerIdsAllocated(int brokerId, long firstId, int count) implements MetadataRecord {
        /** The first id of the next block. */
        public long nextId() {
            return firstId + count;
        }
    }

    /**
     * A user got a password, or lost it.
     *
     * @param credential null if it was removed
     */
    record CredentialSet(String user, ScramMechanism mechanism, ScramCredential credential) implements MetadataRecord {
        public CredentialSet {
            Objects.requireNonNull(user, "user");
            Objects.requireNonNull(mechanism, "mechanism");
        }
    }

    /** An ACL was added. */
    record AclAdded(Acl acl) implements MetadataRecord {
        public AclAdded {
            Objects.requireNonNull(acl, "acl");
        }
    }

    /** An ACL was removed. */
    record AclRemoved(Acl acl) implements MetadataRecord {
        public AclRemoved {
            Objects.requireNonNull(acl, "acl");
        }
    }

    /**
     * A quota was set or removed.
     *
     * @param value null if the quota was removed
     */
    record QuotaSet(QuotaEntity entity, String key, Double value) implements MetadataRecord {
        public QuotaSet {
            Objects.requireNonNull(entity, "entity");
            Objects.requireNonNull(key, "key");
        }
    }
}
