package io.felice.api.storage;

import java.util.Objects;
import java.util.UUID;

/**
 * The identity of a log: the topic's UUID and the partition number. The topic's name is for log lines and file names.
 * It takes no part in {@code equals}: if a topic is deleted and created again, the new topic does not get the old logs.
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
