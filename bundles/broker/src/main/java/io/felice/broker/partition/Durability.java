package io.felice.broker.partition;

import io.felice.api.config.TopicConfig;
import java.util.Locale;

/** What an acknowledged record survives: the values of {@code storage.durability}. */
public enum Durability {
    /** Nothing: a record is acknowledged once it is in the log. */
    NONE,
    /** A kill of the process: a record is acknowledged once it is settled. */
    KILL,
    /** A power cut: a record is acknowledged once it is flushed. */
    POWER;

    /** The durability of a topic. Kafka's {@code flush.messages=1} means {@link #POWER}. */
    public static Durability of(TopicConfig config) {
        if (config.getLong(TopicConfig.FLUSH_MESSAGES) == 1) {
            return POWER;
        }
        return valueOf(config.get(TopicConfig.STORAGE_DURABILITY).toUpperCase(Locale.ROOT));
    }
}
