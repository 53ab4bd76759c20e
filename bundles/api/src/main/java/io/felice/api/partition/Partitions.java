package io.felice.api.partition;

import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The partitions of this node. From any thread; nothing blocks. */
@ProviderType
public interface Partitions {
    /**
     * The partition, if this node leads it.
     *
     * @throws io.felice.api.FeliceException UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, LEADER_NOT_AVAILABLE (its
     *     log is being opened, or its engine is being replaced or missing), KAFKA_STORAGE_ERROR (offline)
     */
    Partition leader(TopicPartition partition);

    /**
     * Reads many partitions, waiting for more until there are {@code minBytes} or the time is over. Every partition of
     * the plan gets an answer, in the order of the plan; an error in one is answered at once and is that one's only.
     *
     * @return completes on the reading, appending or a timer thread; the receiver closes each answer's records
     */
    CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan);

    /** Every log dir with the replicas in it, for DescribeLogDirs. May touch the file system: completes on a pool thread. */
    CompletionStage<List<LogDir>> logDirs();

    /**
     * Tells {@code listener} of every partition of {@code topic} that this node begins or ceases to lead, beginning with
     * those it leads now, until closed. In order per partition.
     */
    Subscription listen(String topic, LeadershipListener listener);

    /** A producer id that nobody has got before, for an idempotent producer. */
    CompletionStage<Long> newProducerId();
}
