package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Records;

/**
 * The result of a fetch for one partition. With an error, all offsets are -1 and there are no records.
 *
 * @param divergence the leader epoch and its end offset from which the reader's log differs from the leader's
 *     (KIP-595); then there are no records. Null if the logs agree
 * @param preferredReplica the broker from which a consumer had better read (KIP-392); then there are no records. {@link
 *     #NO_PREFERENCE} if it reads from this one
 * @param records pinned in memory or in a file until the receiver closes them
 * @param compactedTo the offset below which the leader has compacted the log, and all followers have its records, so that a
 *     follower may compact it too; {@link #NOT_TOLD} if the topic is not compacted, or the reader is no follower
 */
public record FetchedPartition(
        TopicPartition partition,
        ErrorCode error,
        long highWatermark,
        long lastStableOffset,
        long logStartOffset,
        Partition.EpochEnd divergence,
        int preferredReplica,
        Records records,
        long compactedTo) {
    public static final int NO_PREFERENCE = -1;
    /** A reader is not told up to where it may compact. */
    public static final long NOT_TOLD = -1;

    public FetchedPartition(
            TopicPartition partition,
            ErrorCode error,
            long highWatermark,
            long lastStableOffset,
            long logStartOffset,
            Partition.EpochEnd divergence,
            int preferredReplica,
            Records records) {
        this(
                partition,
                error,
                highWatermark,
                lastStableOffset,
                logStartOffset,
                divergence,
                preferredReplica,
                records,
                NOT_TOLD);
    }

    /** A result of the broker that the reader has asked. */
    public FetchedPartition(
            TopicPartition partition,
            ErrorCode error,
            long highWatermark,
            long lastStableOffset,
            long logStartOffset,
            Partition.EpochEnd divergence,
            Records records) {
        this(partition, error, highWatermark, lastStableOffset, logStartOffset, divergence, NO_PREFERENCE, records);
    }

    public static FetchedPartition failed(TopicPartition partition, ErrorCode error) {
        return new FetchedPartition(partition, error, -1L, -1L, -1L, null, Records.EMPTY);
    }
}
