package io.felice.api;

import java.util.Objects;

/**
 * A partition, identified by the name of its topic. A topic that is deleted and created again has the same name;
 * {@link io.felice.api.storage.LogId} tells the two apart.
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
