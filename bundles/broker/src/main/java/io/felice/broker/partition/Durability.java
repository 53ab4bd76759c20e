package io.felice.broker.partition;

import io.felice.api.config.TopicConfig;
import java.util.Locale;

/** What an acknowledged record survives. */
public enum Durability {
    /** Nothing: acknowledged once it is in the log. */
    NONE,
    /** kill -9 of the broker: acknowledged once it is settled. */
    KILL,
    /** A power cut: acknowledged once it is flushed. */
    POWER;

    /** What a topic asks for; Kafka's {@code flush.messages=1} asks for a flush before every acknowledgement. */
    public static Durability of(TopicConfig config) {
        if (config.getLong(TopicConfig.FLUSH_MESSAGES) == 1) {
            return POWER;
        }
        return valueOf(config.get(TopicConfig.STORAGE_DURABILITY).toUpperCase(Locale.ROOT));
    }
}
