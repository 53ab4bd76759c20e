package io.felice.api;

import java.util.Objects;

/**
 * A partition, by the name of its topic. After a topic is deleted, a new topic may have the same name: see
 * {@link io.felice.api.storage.LogId}.
 */
public record TopicPartition(String topic, int partition) {
    public TopicPartition {
        Objects.requireNonNull(topic, "topic");
    }

    @Override
    public String toString() {
        return topic + "-" + partition;
    }
}
