package io.felice.api.partition;

import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Outcome;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The partitions of this node. Any thread may call the methods; they do not block. */
@ProviderType
public interface Partitions {
    /**
     * Returns a partition that this node leads.
     *
     * @throws io.felice.api.FeliceException UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, LEADER_NOT_AVAILABLE if
     *     the log is being opened or its engine is not running, KAFKA_STORAGE_ERROR if the log is offline
     */
    Partition leader(TopicPartition partition);

    /**
     * Reads many partitions. If there are fewer than {@code minBytes}, the fetch waits for new records until {@code
     * maxWait} is over. An error in one partition ends the wait at once.
     *
     * @return a result for each partition, in the order of the plan. The stage completes on the thread that reads or
     *     appends, or on a timer thread. The receiver closes the records of each result
     */
    CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan);

    /** Begins a series of fetches of one reader, which is over when it is closed. */
    RepeatedFetch repeatedFetch();

    /** All log directories with their replicas, for DescribeLogDirs. Completes on a pool thread. */
    CompletionStage<List<LogDir>> logDirs();

    /**
     * Moves the logs of replicas to other storage engines of this node, while clients go on (KIP-113). A move to the engine
     * that has the log cancels the move that is under way.
     *
     * @param targets the name of an engine or its log directory, by partition
     * @return completes when the moves have begun; they go on after a restart. Errors of a partition:
     *     UNKNOWN_TOPIC_OR_PARTITION, REPLICA_NOT_AVAILABLE if this node has no replica of it, LOG_DIR_NOT_FOUND,
     *     INVALID_CONFIG if the engine cannot give what the topic's config asks for, KAFKA_STORAGE_ERROR
     */
    CompletionStage<Map<TopicPartition, Outcome<Void>>> move(Map<TopicPartition, String> targets);

    /** The moves that have not ended, in the order of the partitions. */
    List<LogMove> moves();

    /**
     * Registers a listener for the partitions of {@code topic} that this node leads. First the listener gets the
     * partitions that this node leads now, then each change until the subscription is closed. The calls for one
     * partition are in order.
     */
    Subscription listen(String topic, LeadershipListener listener);

    /** A new producer id for an idempotent producer (KIP-98). No id is returned twice in the cluster. */
    CompletionStage<Long> newProducerId();
}
