package io.felice.api.partition;

import io.felice.api.TopicPartition;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * The partitions that a fetch reads, and its limits.
 *
 * @param wants the partitions. They are read in this order until {@code maxBytes} is used up
 * @param minBytes the fetch waits until it has so many bytes; 0 to answer at once
 * @param maxBytes the most bytes of all partitions together. The first partition with records gets at least one batch,
 *     even if the batch is larger (KIP-74). The caller limits this value to the broker's {@code fetch.max.bytes}
 * @param maxWait the longest wait for {@code minBytes}
 * @param readCommitted true to read only records below the last stable offset (KIP-98)
 * @param replicaId the id of the broker that fetches for its replica, or {@link #CONSUMER}. A replica reads up to the
 *     log end offset. By its offset a replica acknowledges all records below that offset
 * @param replicaEpoch the broker epoch of the broker that fetches for its replica (KIP-903); -1 if it is unknown. A fetch of
 *     an epoch that is over is refused
 * @param rack the rack of a consumer, which may be told to read from a replica there (KIP-392); empty if it is unknown. Null
 *     if the consumer reads from leaders only
 */
public record FetchPlan(
        List<Want> wants,
        int minBytes,
        int maxBytes,
        Duration maxWait,
        boolean readCommitted,
        int replicaId,
        long replicaEpoch,
        String rack) {
    public static final int CONSUMER = -1;

    public FetchPlan {
        wants = List.copyOf(wants);
        Objects.requireNonNull(maxWait, "maxWait");
    }

    /** The fetch of a consumer. */
    public FetchPlan(List<Want> wants, int minBytes, int maxBytes, Duration maxWait, boolean readCommitted) {
        this(wants, minBytes, maxBytes, maxWait, readCommitted, CONSUMER, -1, null);
    }

    public boolean isReplica() {
        return replicaId >= 0;
    }

    /** The offset below which this reader may read. */
    public Partition.ReadLimit limit() {
        if (isReplica()) {
            return Partition.ReadLimit.LOG_END;
        }
        return readCommitted ? Partition.ReadLimit.LAST_STABLE_OFFSET : Partition.ReadLimit.HIGH_WATERMARK;
    }

    /**
     * One partition of a fetch.
     *
     * @param offset the first offset to read
     * @param maxBytes the most bytes of this partition
     * @param currentLeaderEpoch the leader epoch that the client knows, which must be the current one (KIP-320); -1 if
     *     the client knows none
     * @param lastFetchedEpoch the leader epoch of the record before {@code offset}, with which the leader finds out
     *     whether the reader's log diverges (KIP-595); -1 if unknown
     * @param logStartOffset the start of a replica's log; -1 for a consumer
     * @param topicId the topic that is meant: another one with the same name is refused with UNKNOWN_TOPIC_ID. Null if any
     *     topic with the name is meant
     */
    public record Want(
            TopicPartition partition,
            long offset,
            int maxBytes,
            int currentLeaderEpoch,
            int lastFetchedEpoch,
            long logStartOffset,
            UUID topicId) {
        public Want(
                TopicPartition partition,
                long offset,
                int maxBytes,
                int currentLeaderEpoch,
                int lastFetchedEpoch,
                long logStartOffset) {
            this(partition, offset, maxBytes, currentLeaderEpoch, lastFetchedEpoch, logStartOffset, null);
        }

        /** What a consumer wants. */
        public Want(TopicPartition partition, long offset, int maxBytes, int currentLeaderEpoch, int lastFetchedEpoch) {
            this(partition, offset, maxBytes, currentLeaderEpoch, lastFetchedEpoch, -1);
        }
    }
}
