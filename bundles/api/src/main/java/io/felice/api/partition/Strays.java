package io.felice.api.partition;

import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The stray logs of this node: logs that no topic of the cluster has, and that this node will not delete by itself because
 * it does not know that their topics were deleted. They come from a backup, from another disk, or from metadata that was
 * lost.
 *
 * <p>From any thread; nothing blocks.
 */
@ProviderType
public interface Strays {
    /**
     * The stray logs of one topic in one engine.
     *
     * @param topic the name that the topic had
     * @param partitions in ascending order
     * @param logDir where the engine keeps its logs, as Kafka's tools show it
     */
    record StrayTopic(UUID topicId, String topic, String engine, List<Integer> partitions, String logDir) {
        public StrayTopic {
            partitions = List.copyOf(partitions);
        }
    }

    /** Stray topics in order of their names. */
    CompletionStage<List<StrayTopic>> list();

    /**
     * Makes a topic again, with its old id, so that its stray logs are its partitions. Its records keep their offsets; it
     * keeps all of them until somebody sets its retention. What producers had sent before is forgotten.
     *
     * @param partitions of the new topic; if empty, one more than the largest partition that has a log
     * @return the number of partitions. Fails with TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, UNKNOWN_TOPIC_ID,
     *     KAFKA_STORAGE_ERROR if a log cannot be read, or as {@link io.felice.api.cluster.Admin} fails; the logs stay stray
     *     logs then
     */
    CompletionStage<Integer> takeIn(UUID topicId, OptionalInt partitions);

    /** Deletes the stray logs of a topic. Fails with UNKNOWN_TOPIC_ID or KAFKA_STORAGE_ERROR. */
    CompletionStage<Void> delete(UUID topicId);
}
