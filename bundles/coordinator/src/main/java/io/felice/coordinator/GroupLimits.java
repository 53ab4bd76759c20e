package io.felice.coordinator;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Limits and time-outs of groups. What a client sends is checked against the limits before it is stored. */
final class GroupLimits {
    /** The length field of a string in Kafka's record format is an int16. */
    static final int MAX_STRING_BYTES = Short.MAX_VALUE;

    /** The longest client id or instance id: either becomes part of a member id, which is stored as a string. */
    static final int MAX_NAME_BYTES = 16_384;

    static final int MAX_PROTOCOLS_PER_MEMBER = 256;

    /**
     * The most metadata that the members of a group may send, as a multiple of the largest batch of the offsets topic. It
     * is more than one batch, because members send metadata for each of their protocols, and only that of the chosen
     * protocol is stored.
     */
    static final int METADATA_BATCHES_PER_GROUP = 8;

    /** The most member ids of one group that were sent to new members which have not joined with them yet. */
    static final int MAX_PENDING_MEMBERS = 10_000;

    /** How long a new member may take to join: it cannot send heartbeats before its first rebalance ends. As in Kafka. */
    static final Duration NEW_MEMBER_JOIN_TIMEOUT = Duration.ofMinutes(5);

    /** How long a write to the offsets topic may take; Kafka's {@code offsets.commit.timeout.ms}. */
    static final Duration WRITE_TIMEOUT = Duration.ofSeconds(5);

    /** How long a FindCoordinator request waits until the partition of its group has a leader. */
    static final Duration LEADER_TIMEOUT = Duration.ofSeconds(5);

    static final int LOAD_CHUNK_BYTES = 4 * 1024 * 1024;

    /** How long a shard waits after a failed read before it reads again; the wait doubles with each failure. */
    static final Duration LOAD_RETRY = Duration.ofSeconds(1);

    static final Duration LONGEST_LOAD_RETRY = Duration.ofSeconds(30);

    /** How often a shard that has read the whole log checks whether the high watermark has reached the end. */
    static final Duration HIGH_WATERMARK_POLL = Duration.ofMillis(20);

    /** The most tombstones in one batch, when offsets expire or are deleted. */
    static final int TOMBSTONES_PER_BATCH = 1_000;

    private GroupLimits() {}

    /** Whether {@code text} takes at most {@code bytes} in UTF-8; true for null. */
    static boolean fits(String text, int bytes) {
        return text == null || text.length() * 3L <= bytes || text.getBytes(StandardCharsets.UTF_8).length <= bytes;
    }
}
