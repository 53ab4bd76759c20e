package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.protocol.CompactedTo;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;

/**
 * A partition that a fetch request asks for, with what the client was last told about it. A fetch session keeps it
 * between requests. Accessed under the lock of its session, or by one thread at a time.
 */
final class Wanted {
    private static final long NOT_TOLD = -1L;

    private final Key key;
    private int maxBytes;
    private int currentLeaderEpoch;
    private long offset;
    private int lastFetchedEpoch;
    private long logStartOffset;
    private TopicPartition named;
    private long toldHighWatermark = NOT_TOLD;
    private long toldLogStart = NOT_TOLD;
    private long toldCompactedTo = NOT_TOLD;

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
        logStartOffset = asked.logStartOffset();
    }

    Key key() {
        return key;
    }

    /** What to read of the partition. The topic has this name, also if the request gave the topic's id. */
    Want under(String topic) {
        if (named == null || !named.topic().equals(topic)) {
            named = new TopicPartition(topic, key.partition());
        }
        UUID topicId = key.topic() instanceof Uuid id ? TopicIds.of(id) : null;
        return new Want(named, offset, maxBytes, currentLeaderEpoch, lastFetchedEpoch, logStartOffset, topicId);
    }

    /** The partition with the name of its topic; null before {@link #under}. */
    TopicPartition named() {
        return named;
    }

    /**
     * Stores what this answer tells the client.
     *
     * @return whether the answer has records, an error, a diverging epoch, or offsets that the client was not told
     *     before
     */
    boolean tell(PartitionData answer) {
        long compactedTo = CompactedTo.read(answer);
        boolean news = answer.records().sizeInBytes() > 0
                || answer.highWatermark() != toldHighWatermark
                || answer.logStartOffset() != toldLogStart
                || compactedTo != toldCompactedTo
                || answer.errorCode() != ErrorCode.NONE.code()
                || answer.divergingEpoch().endOffset() >= 0
                || answer.preferredReadReplica() >= 0;
        toldHighWatermark = answer.errorCode() == ErrorCode.NONE.code() ? answer.highWatermark() : NOT_TOLD;
        toldLogStart = answer.logStartOffset();
        toldCompactedTo = compactedTo;
        return news;
    }
}
