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
     * The partition, which this node must lead.
     *
     * @throws io.felice.api.FeliceException UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, LEADER_NOT_AVAILABLE if the
     *     log is being opened or the engine is away, KAFKA_STORAGE_ERROR if the log is offline
     */
    Partition leader(TopicPartition partition);

    /**
     * Reads many partitions. Waits for new records until it has {@code minBytes} or {@code maxWait} is over; an error in
     * one partition ends the wait at once.
     *
     * @return an answer for each partition, in the order of the plan. The stage completes on the thread that reads or
     *     appends, or on a timer thread. The receiver closes the records of each answer
     */
    CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan);

    /** Every log directory with the replicas in it, for DescribeLogDirs. Completes on a pool thread. */
    CompletionStage<List<LogDir>> logDirs();

    /**
     * Tells {@code listener} when this node begins or ceases to lead a partition of {@code topic}, until the subscription is
     * closed. First it tells of the partitions that this node leads now. Calls for one partition come in order.
     */
    Subscription listen(String topic, LeadershipListener listener);

    /** A producer id that was never given out before, for an idempotent producer. */
    CompletionStage<Long> newProducerId();
}
