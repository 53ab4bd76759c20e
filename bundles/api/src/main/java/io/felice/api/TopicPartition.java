package io.felice.api;

import java.util.Objects;

/** A partition by its topic's name; the name may be reused after a delete, see {@link io.felice.api.storage.LogId}. */
public record TopicPartition(String topic, int partition) {
    public TopicPartition {
        Objects.requireNonNull(topic, "topic");
    }

    @Override
    public String toString() {
        return topic + "-" + partition;
    }
}
