package io.felice.api.partition;

import io.felice.api.TopicPartition;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * What a fetch wants.
 *
 * @param wants partitions in the order in which they get room
 * @param minBytes wait for as many, 0 or 1 for any
 * @param maxBytes the most of all partitions together; the first non-empty one gets a batch whatever this says (KIP-74). Whoever makes the
 *     plan keeps to the broker's {@code fetch.max.bytes}
 * @param maxWait how long to wait for {@code minBytes}
 * @param readCommitted only records below the last stable offset
 * @param replicaId the broker that fetches for its replica, or {@link #CONSUMER}. A replica reads up to the log's end, and
 *     acknowledges every record below the offset that it asks for
 */
public record FetchPlan(
        List<Want> wants, int minBytes, int maxBytes, Duration maxWait, boolean readCommitted, int replicaId) {
    public static final int CONSUMER = -1;

    public FetchPlan {
        wants = List.copyOf(wants);
        Objects.requireNonNull(maxWait, "maxWait");
    }

    /** A consumer's. */
    public FetchPlan(List<Want> wants, int minBytes, int maxBytes, Duration maxWait, boolean readCommitted) {
        this(wants, minBytes, maxBytes, maxWait, readCommitted, CONSUMER);
    }

    public boolean isReplica() {
        return replicaId >= 0;
    }

    /** Which records the reader may see. */
    public Partition.ReadLimit limit() {
        if (isReplica()) {
            return Partition.ReadLimit.LOG_END;
        }
        return readCommitted ? Partition.ReadLimit.LAST_STABLE_OFFSET : Partition.ReadLimit.HIGH_WATERMARK;
    }

    /**
     * One partition of a fetch.
     *
     * @param offset where to begin
     * @param maxBytes the most of this partition
     * @param currentLeaderEpoch what the client believes, -1 if it does not know
     * @param lastFetchedEpoch the epoch of the record before {@code offset}, -1 if unknown; lets the log find divergence
     */
    public record Want(
            TopicPartition partition, long offset, int maxBytes, int currentLeaderEpoch, int lastFetchedEpoch) {}
}
