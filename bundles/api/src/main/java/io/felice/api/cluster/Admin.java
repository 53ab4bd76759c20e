package io.felice.api.cluster;

import io.felice.api.TopicPartition;
import io.felice.api.config.ConfigResource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What the controller decides on request. Every broker has this service. On a broker that is not the controller each
 * stage fails at once with NOT_CONTROLLER; nothing is forwarded. While nobody is known to be controller a request waits.
 *
 * <p>No method blocks; stages complete on the controller's thread once the change is in the log. Each item of a request
 * stands for itself: its {@link Outcome} carries an error or a value, and one bad item never fails its neighbours. The
 * whole stage fails only with NOT_CONTROLLER, COORDINATOR_NOT_AVAILABLE or REQUEST_TIMED_OUT.
 */
@ProviderType
public interface Admin {
    /** What came of each item, and the version of the metadata log at which it is visible. */
    record Decided<K, V>(long version, Map<K, Outcome<V>> outcomes) {
        public Decided {
            outcomes = Map.copyOf(outcomes);
        }
    }

    /**
     * A topic to be made.
     *
     * @param partitions number of partitions; ignored if {@code assignments} is not empty
     * @param replicationFactor ignored if {@code assignments} is not empty
     * @param assignments replicas by partition, 0 to n-1, the preferred leader first; or empty
     * @param configs topic configs to set; every key known, every value checked by the controller again
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
     * A topic whose logs are there already.
     *
     * @param brokerId the broker that has the logs; it gets every partition
     * @param leaderEpochs the first leader epoch of each partition, above every epoch in its log
     */
    record RestoredTopic(
            UUID topicId, String name, int brokerId, List<Integer> leaderEpochs, Map<String, String> configs) {
        public RestoredTopic {
            leaderEpochs = List.copyOf(leaderEpochs);
            configs = Map.copyOf(configs);
        }
    }

    /** A topic that was made, or with {@code validateOnly} would be. */
    record CreatedTopic(UUID topicId, int partitions, int replicationFactor) {}

    /** @param assignments replicas of each new partition, or empty to have them placed */
    record NewPartitions(int totalCount, List<List<Integer>> assignments) {
        public NewPartitions {
            assignments = List.copyOf(assignments);
        }
    }

    /** One change of one config key; a null value takes the override away. For a list-typed key, append and subtract. */
    record ConfigChange(String key, Operation operation, String value) {
        /** As in IncrementalAlterConfigs (KIP-339). */
        public enum Operation {
            SET,
            DELETE,
            APPEND,
            SUBTRACT
        }
    }

    /** Errors per topic: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
     * INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG. */
    CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> topics, boolean validateOnly);

    /** Makes a topic again under its old id. Errors: those of {@link #createTopics}. */
    CompletionStage<Decided<String, CreatedTopic>> restoreTopic(RestoredTopic topic);

    /** Errors per topic: UNKNOWN_TOPIC_ID. */
    CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds);

    /** Errors per topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT. */
    CompletionStage<Decided<String, Void>> createPartitions(Map<String, NewPartitions> topics, boolean validateOnly);

    /** All changes of a resource are made, or none. Errors: INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST. */
    CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly);

    /**
     * Elects leaders: the preferred replica, or (unclean) any live one.
     *
     * @param partitions empty for every partition of the cluster
     * @return errors ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE,
     *     UNKNOWN_TOPIC_OR_PARTITION
     */
    CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean);

    /**
     * Starts, changes or (empty) cancels reassignments.
     *
     * @return errors INVALID_REPLICA_ASSIGNMENT, NO_REASSIGNMENT_IN_PROGRESS, UNKNOWN_TOPIC_OR_PARTITION
     */
    CompletionStage<Decided<TopicPartition, Void>> reassign(Map<TopicPartition, Optional<List<Integer>>> targets);

    /** A block of producer ids that no other broker gets, ever. */
    CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId);

    /** The broker id of the controller as known here; empty while there is none. */
    Optional<Integer> controllerId();
}
