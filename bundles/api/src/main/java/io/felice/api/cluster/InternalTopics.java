package io.felice.api.cluster;

import java.util.Set;

/** The topics the broker keeps its own state in, by Kafka's names. */
public final class InternalTopics {
    public static final String CONSUMER_OFFSETS = "__consumer_offsets";
    public static final String TRANSACTION_STATE = "__transaction_state";

    private static final Set<String> ALL = Set.of(CONSUMER_OFFSETS, TRANSACTION_STATE);

    private InternalTopics() {}

    /** True for the topics that may be compacted; the others of the broker keep to {@code delete}, as users' topics do. */
    public static boolean isCompacted(String topic) {
        return CONSUMER_OFFSETS.equals(topic);
    }

    public static boolean isInternal(String topic) {
        return ALL.contains(topic);
    }
}
