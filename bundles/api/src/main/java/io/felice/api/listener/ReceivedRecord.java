package io.felice.api.listener;

import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import java.util.List;
import java.util.Objects;

/**
 * A record of a topic. The bytes are not copied: nobody may change them. They stay valid.
 *
 * @param timestamp milliseconds since the epoch
 * @param key null if the record has none
 * @param value null for a tombstone
 * @param headers in the order of the record
 */
public record ReceivedRecord(
        TopicPartition partition, long offset, long timestamp, byte[] key, byte[] value, List<RecordHeader> headers) {
    public ReceivedRecord {
        Objects.requireNonNull(partition);
        headers = List.copyOf(headers);
    }
}
