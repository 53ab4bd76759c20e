package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Records;

/**
 * One partition's answer to a fetch.
 *
 * @param highWatermark -1 if there is an error, as are the other offsets
 * @param divergence the epoch and offset at which the reader's log differs from this one (KIP-595), and then there are no
 *     records; null if the logs agree
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
