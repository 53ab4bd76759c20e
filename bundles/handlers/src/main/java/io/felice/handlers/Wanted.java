package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;

/**
 * A partition as a fetch asks for it and as a fetch session remembers it; equal to another of the same partition.
 * Guarded by its session, or used by one thread at a time.
 */
final class Wanted {
    private static final long NOT_TOLD = -1L;

    private final Key key;
    private int maxBytes;
    private int currentLeaderEpoch;
    private long offset;
    private int lastFetchedEpoch;
    private TopicPartition named;
    private long toldHighWatermark = NOT_TOLD;
    private long toldLogStart = NOT_TOLD;

    /** @param topic a topic's name (String) or, from v13 on, its id (Uuid) */
    record Key(Object topic, int partition) {}

    Wanted(Key key, FetchPartition asked) {
        this.key = key;
        ask(asked);
    }

    static Key key(FetchTopic topic, FetchPartition partition, boolean byId) {
        return new Key(byId ? topic.topicId() : topic.topic(), partition.partition());
    }

    void ask(FetchPartition asked) {
        maxBytes = asked.partitionMaxBytes();
        currentLeaderEpoch = asked.currentLeaderEpoch();
        offset = asked.fetchOffset();
        lastFetchedEpoch = asked.lastFetchedEpoch();
    }

    Key key() {
        return key;
    }

    /** The partition under its topic's name. */
    TopicPartition under(String topic) {
        if (named == null || !named.topic().equals(topic)) {
            named = new TopicPartition(topic, key.partition());
        }
        return named;
    }

    int maxBytes() {
        return maxBytes;
    }

    int currentLeaderEpoch() {
        return currentLeaderEpoch;
    }

    long offset() {
        return offset;
    }

    int lastFetchedEpoch() {
        return lastFetchedEpoch;
    }

    /** Remembers what the client is told, and says whether it is news. */
    boolean tell(PartitionData answer) {
        boolean news = answer.records().sizeInBytes() > 0
                || answer.highWatermark() != toldHighWatermark
                || answer.logStartOffset() != toldLogStart
                || answer.errorCode() != ErrorCode.NONE.code()
                || answer.divergingEpoch().endOffset() >= 0;
        toldHighWatermark = answer.errorCode() == ErrorCode.NONE.code() ? answer.highWatermark() : NOT_TOLD;
        toldLogStart = answer.logStartOffset();
        return news;
    }
}
