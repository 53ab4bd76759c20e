package io.felice.api.cluster;

import io.felice.api.TopicPartition;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Requester;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The requests that the controller of the cluster decides. Every broker has this service. If another broker is the
 * controller, the request is forwarded to it. If no controller is known or reached, a request waits.
 *
 * <p>Any thread may call the methods; they do not block. A stage completes on the controller's thread when the change
 * is in the metadata log. Each item of a request has its own {@link Outcome} with a value or an error; a failed item
 * does not fail the others. The stage as a whole fails only with NOT_CONTROLLER, with COORDINATOR_NOT_AVAILABLE if too
 * many requests wait or the controller is being stopped, or with REQUEST_TIMED_OUT.
 */
@ProviderType
public interface Admin {
    /** The outcome of each item, and the version of the metadata log from which the changes are visible. */
    record Decided<K, V>(long version, Map<K, Outcome<V>> outcomes) {
        public Decided {
            outcomes = Map.copyOf(outcomes);
        }
    }

    /**
     * A topic to create.
     *
     * @param partitions the number of partitions; ignored if {@code assignments} is not empty
     * @param replicationFactor the number of replicas per partition; ignored if {@code assignments} is not empty
     * @param assignments the broker ids of the replicas by partition number from 0 to n-1, the preferred leader first;
     *     empty if the controller assigns the replicas
     * @param configs the topic configs to set; the controller checks each value
     */
    record NewTopic(
            String name,
            int partitions,
            int replicationFactor,
            Map<Integer, List<Integer>> assignments,
            Map<String, String> configs) {
        public NewTopic {
            assignments = Map.copyOf(assignments);
            configs = Map.copyOf(configs);
        }
    }

    /**
     * A topic to create for logs that exist.
     *
     * @param topicId the id of the topic to which the logs belong
     * @param brokerId the broker that has the logs. It gets every partition
     * @param leaderEpochs the first leader epoch of each partition, which must be above all epochs in the partition's
     *     log
     */
    record RestoredTopic(
            UUID topicId, String name, int brokerId, List<Integer> leaderEpochs, Map<String, String> configs) {
        public RestoredTopic {
            leaderEpochs = List.copyOf(leaderEpochs);
            configs = Map.copyOf(configs);
        }
    }

    /** A topic that was created, or would be created without {@code validateOnly}. */
    record CreatedTopic(UUID topicId, int partitions, int replicationFactor) {}

    /**
     * The partitions to add to a topic.
     *
     * @param totalCount the number of partitions after the change
     * @param assignments the broker ids of the replicas of each new partition; empty if the controller assigns the
     *     replicas
     */
    record NewPartitions(int totalCount, List<List<Integer>> assignments) {
        public NewPartitions {
            assignments = List.copyOf(assignments);
        }
    }

    /**
     * A change of one config key.
     *
     * @param value null to remove the config
     */
    record ConfigChange(String key, Operation operation, String value) {
        /** The operations of IncrementalAlterConfigs (KIP-339). APPEND and SUBTRACT are only for keys of type LIST. */
        public enum Operation {
            SET,
            DELETE,
            APPEND,
            SUBTRACT
        }
    }

    /**
     * Creates topics.
     *
     * @param validateOnly true to check the request without a change
     * @return an outcome by topic name. Errors: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS,
     *     INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG
     */
    CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> topics, boolean validateOnly);

    /** Creates a topic again under its old id. Errors: those of {@link #createTopics}. */
    CompletionStage<Decided<String, CreatedTopic>> restoreTopic(RestoredTopic topic);

    /** Deletes topics with their configs. Error of a topic: UNKNOWN_TOPIC_ID. */
    CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds);

    /**
     * Adds partitions to topics. Errors of a topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS,
     * INVALID_REPLICA_ASSIGNMENT.
     */
    CompletionStage<Decided<String, Void>> createPartitions(Map<String, NewPartitions> topics, boolean validateOnly);

    /**
     * Changes dynamic configs. Either all changes of a resource are made or none. Errors of a resource: INVALID_CONFIG,
     * UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST.
     */
    CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly);

    /** The password of a user for one mechanism. */
    record UserMechanism(String user, ScramMechanism mechanism) {}

    /**
     * Sets and removes passwords of users (KIP-554). Either all changes of a user are made or none.
     *
     * @param changes the new credential; empty to remove it
     * @return errors of an item: RESOURCE_NOT_FOUND, UNACCEPTABLE_CREDENTIAL, INVALID_REQUEST
     */
    CompletionStage<Decided<UserMechanism, Void>> alterUsers(Map<UserMechanism, Optional<ScramCredential>> changes);

    /** Adds ACLs; one that is there already changes nothing. Error of an ACL: INVALID_REQUEST. */
    CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls);

    /** Removes the ACLs that a filter finds. The value of a filter is what was removed. */
    CompletionStage<Decided<AclFilter, Set<Acl>>> deleteAcls(List<AclFilter> filters);

    /**
     * Sets and removes quotas (KIP-546). Either all changes of an entity are made or none.
     *
     * @param changes the new value by key; empty to remove it
     * @return error of an entity: INVALID_REQUEST
     */
    CompletionStage<Decided<QuotaEntity, Void>> alterQuotas(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly);

    /**
     * Elects leaders (KIP-460).
     *
     * @param partitions empty for all partitions of the cluster
     * @param unclean false to elect the preferred replica, true to elect any live replica if there is no leader
     * @return errors of a partition: ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE,
     *     ELIGIBLE_LEADERS_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION
     */
    CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean);

    /**
     * Starts, changes or cancels reassignments (KIP-455).
     *
     * @param targets the new replicas by partition, the preferred leader first; empty to cancel a reassignment
     * @return errors of a partition: INVALID_REPLICA_ASSIGNMENT, NO_REASSIGNMENT_IN_PROGRESS,
     *     UNKNOWN_TOPIC_OR_PARTITION
     */
    CompletionStage<Decided<TopicPartition, Void>> reassign(Map<TopicPartition, Optional<List<Integer>>> targets);

    /** Allocates a block of producer ids for this broker. No id is ever in another block (KIP-730). */
    CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId);

    /** A partition of a topic with this id. */
    record PartitionId(UUID topicId, int partition) {}

    /**
     * The in-sync replicas that a leader proposes (KIP-497).
     *
     * @param leaderEpoch the epoch in which the broker leads
     * @param partitionEpoch the epoch of the state that the leader has changed
     * @param isr the broker epoch of each proposed in-sync replica by its broker id. A replica is not added if its broker is
     *     not alive in this broker epoch (KIP-903); -1 if the leader does not know it, which is enough for a replica that is
     *     in sync already. Empty if the leader's log has lost records, so that it must not lead in this epoch any more: another
     *     replica is elected, or, if no other has every committed record, the same broker in the next leader epoch
     * @param recovering false once the leader has repaired its state after an unclean election (KIP-704)
     */
    record InSyncChange(int leaderEpoch, int partitionEpoch, Map<Integer, Long> isr, boolean recovering) {
        public InSyncChange {
            isr = Map.copyOf(isr);
        }
    }

    /**
     * A leader changes the in-sync replicas of partitions (KIP-497). A change that was made already succeeds again.
     *
     * @param brokerEpoch of the leader
     * @return the state after the change. Errors of a partition: STALE_BROKER_EPOCH, UNKNOWN_TOPIC_ID,
     *     FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION if the state has another partition epoch, INELIGIBLE_REPLICA,
     *     NOT_LEADER_OR_FOLLOWER
     */
    CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
            int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes);

    /**
     * A broker is about to stop (controlled shutdown): its partitions get other leaders where a replica is in sync, it leaves
     * the in-sync sets, and it gets no new leadership in this broker epoch.
     *
     * @return by broker id, the number of partitions that it still leads because no other replica can. Error:
     *     STALE_BROKER_EPOCH
     */
    CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch);

    /**
     * Begins or ends the draining of a broker, alive or not: it gets no new replicas, and those that it has are moved to
     * others as by {@link #reassign}. The end of draining leaves the moves that go on.
     *
     * @return by broker id, the number of partitions that stay, because no other broker can keep them. Error:
     *     BROKER_ID_NOT_REGISTERED
     */
    CompletionStage<Decided<Integer, Integer>> drain(int brokerId, boolean begin);

    /**
     * Removes a broker for good. It must not be alive, and must have no replicas.
     *
     * @return errors of the broker: BROKER_ID_NOT_REGISTERED, INVALID_REQUEST
     */
    CompletionStage<Decided<Integer, Void>> removeBroker(int brokerId);

    /**
     * The version of the metadata that a broker has applied.
     *
     * @param ageMs how long ago the broker has said so, in milliseconds
     */
    record AppliedVersion(long version, long ageMs) {}

    /**
     * A broker says which version of the metadata it has applied. The controller keeps the last report of each live broker in
     * memory.
     *
     * @return the last report of each broker, by its id; the version is that of the controller
     */
    CompletionStage<Decided<Integer, AppliedVersion>> reportApplied(int brokerId, long version);

    /** The broker id of the controller, as far as this broker knows; empty if there is none. */
    Optional<Integer> controllerId();

    /** Since when that broker is the controller, by a clock of the store; empty if it is not known. */
    Optional<Instant> controllerSince();

    /**
     * The same requests, asked by a client, so that topic policies know who asks, also if another broker decides. Requests that
     * are not asked by anybody are the node's own. The result may be kept.
     */
    Admin askedBy(Requester requester);
}
