package io.felice.api.listener;

import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** Appends records to topics, for plugins. Any thread may call it; it does not block. */
@ProviderType
public interface RecordAppender {
    /** Any partition: the one that Kafka's producer chooses for the key. */
    int ANY_PARTITION = -1;

    /**
     * Appends one record with the time of now. The topic has to exist.
     *
     * @param partition {@link #ANY_PARTITION}, or the partition to append to
     * @param key may be null
     * @param value may be null
     * @return where the record is, once it is acknowledged as with {@code acks=all}. Fails with
     *     UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION for an internal topic, or as {@link
     *     io.felice.api.partition.Partition#append}. After REQUEST_TIMED_OUT the record may have been appended
     */
    CompletionStage<Place> append(String topic, int partition, byte[] key, byte[] value, List<RecordHeader> headers);

    /** The place of a record. */
    record Place(TopicPartition partition, long offset) {}
}
