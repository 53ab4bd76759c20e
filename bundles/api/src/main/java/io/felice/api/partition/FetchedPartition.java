package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Records;

/**
 * The result of a fetch for one partition. With an error, all offsets are -1 and there are no records.
 *
 * @param divergence the leader epoch and its end offset from which the reader's log differs from the leader's
 *     (KIP-595); then there are no records. Null if the logs agree
 * @param records pinned in memory or in a file until the receiver closes them
 */
public record FetchedPartition(
        TopicPartition partition,
        ErrorCode error,
        long highWatermark,
        long lastStableOffset,
        long logStartOffset,
        Partition.EpochEnd divergence,
        Records records) {

    public static FetchedPartition failed(TopicPartition partition, ErrorCode error) {
        return new FetchedPartition(partition, error, -1L, -1L, -1L, null, Records.EMPTY);
    }
}
