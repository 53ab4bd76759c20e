package io.felice.api.partition;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.storage.Records;

/**
 * One partition's answer to a fetch.
 *
 * @param highWatermark -1 with an error, as are the other offsets
 * @param divergence null, or where the reader's log and this one part (KIP-595); then there are no records
 * @param records pinned; the receiver closes them
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
