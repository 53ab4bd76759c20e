package io.felice.api.partition;

import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The stray logs of this node. A stray log belongs to no topic of the cluster. This node does not delete stray logs by
 * itself, because it does not know whether their topics were deleted: the logs may come from a backup, from another
 * disk, or from before the cluster's metadata was lost.
 *
 * <p>Any thread may call the methods; they do not block.
 */
@ProviderType
public interface Strays {
    /**
     * The stray logs of one topic in one engine.
     *
     * @param topic the name of the topic when the logs were created
     * @param partitions the partition numbers, in ascending order
     * @param logDir the log directory of the engine, as Kafka's tools show it
     */
    record StrayTopic(UUID topicId, String topic, String engine, List<Integer> partitions, String logDir) {
        public StrayTopic {
            partitions = List.copyOf(partitions);
        }
    }

    /** The topics with stray logs, in the order of their names. */
    CompletionStage<List<StrayTopic>> list();

    /**
     * Creates a topic again under its old id, so that its stray logs become the logs of its partitions. The records
     * keep their offsets. The topic has unlimited retention until an operator sets another one. The sequence numbers of
     * idempotent producers are forgotten.
     *
     * @param partitions the number of partitions; if empty, one more than the highest partition with a log, and for the
     *     offsets topic at least {@code offsets.topic.num.partitions}
     * @return the number of partitions. Fails with TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, UNKNOWN_TOPIC_ID if there
     *     is no such topic in {@link #list}, KAFKA_STORAGE_ERROR if a log cannot be read, or with the errors of {@link
     *     io.felice.api.cluster.Admin}. After a failure the logs are still stray logs
     */
    CompletionStage<Integer> takeIn(UUID topicId, OptionalInt partitions);

    /** Deletes the stray logs of a topic. Fails with UNKNOWN_TOPIC_ID or KAFKA_STORAGE_ERROR. */
    CompletionStage<Void> delete(UUID topicId);
}
