package io.felice.api.cluster;

import java.util.Set;

/**
 * The names of the topics in which brokers keep their own state. Clients may read internal topics but not write to
 * them.
 */
public final class InternalTopics {
    public static final String CONSUMER_OFFSETS = "__consumer_offsets";
    public static final String TRANSACTION_STATE = "__transaction_state";

    private static final Set<String> ALL = Set.of(CONSUMER_OFFSETS, TRANSACTION_STATE);

    private InternalTopics() {}

    /** True if the broker makes the topic compacted. */
    public static boolean isCompacted(String topic) {
        return CONSUMER_OFFSETS.equals(topic);
    }

    public static boolean isInternal(String topic) {
        return ALL.contains(topic);
    }
}
