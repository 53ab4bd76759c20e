package io.felice.api.storage;

import java.util.Objects;
import java.util.UUID;

/**
 * The identity of a log: the topic's UUID and the partition. The name is for people only and takes no part in equality,
 * so that a topic deleted and created again never meets its old logs.
 */
public record LogId(UUID topicId, int partition, String topic) {
    public LogId {
        Objects.requireNonNull(topicId, "topicId");
        Objects.requireNonNull(topic, "topic");
        if (partition < 0) {
            throw new IllegalArgumentException("partition " + partition + " is negative");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LogId that && topicId.equals(that.topicId) && partition == that.partition;
    }

    @Override
    public int hashCode() {
        return 31 * topicId.hashCode() + partition;
    }

    @Override
    public String toString() {
        return topic + "-" + partition;
    }
}
