package io.felice.coordinator;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What a group may cost at most; what clients send is checked against these before it is kept. */
final class GroupLimits {
    /** The length field of a string in Kafka's record format is an int16. */
    static final int MAX_STRING_BYTES = Short.MAX_VALUE;

    /** Client ids and instance ids become part of a member id, which has to fit into a string. */
    static final int MAX_NAME_BYTES = 16_384;

    static final int MAX_PROTOCOLS_PER_MEMBER = 256;

    /**
     * How often a group's metadata under all its protocols may fill the largest batch of the offsets topic. Only one
     * protocol is stored in the end, but which one is not known before the vote.
     */
    static final int METADATA_BATCHES_PER_GROUP = 8;

    /** Member ids that were given out and have not come back yet, per group. */
    static final int MAX_PENDING_MEMBERS = 10_000;

    /** A new member cannot heartbeat before its first rebalance is over; after this it is given up, as in Kafka. */
    static final Duration NEW_MEMBER_JOIN_TIMEOUT = Duration.ofMinutes(5);

    /** How long a write to the offsets topic may take; Kafka's {@code offsets.commit.timeout.ms}. */
    static final Duration WRITE_TIMEOUT = Duration.ofSeconds(5);

    /** How long a search for the coordinator waits for the offsets topic to get a leader. */
    static final Duration LEADER_TIMEOUT = Duration.ofSeconds(5);

    static final int LOAD_CHUNK_BYTES = 4 * 1024 * 1024;

    /** How long a shard waits before it reads again what it could not read: twice as long every time. */
    static final Duration LOAD_RETRY = Duration.ofSeconds(1);

    static final Duration LONGEST_LOAD_RETRY = Duration.ofSeconds(30);

    /** How often a shard that has read everything looks whether it is committed. */
    static final Duration HIGH_WATERMARK_POLL = Duration.ofMillis(20);

    /** Tombstones written in one batch by expiry and deletion. */
    static final int TOMBSTONES_PER_BATCH = 1_000;

    private GroupLimits() {}

    /** Whether {@code text} (or null) takes at most {@code bytes} in UTF-8. */
    static boolean fits(String text, int bytes) {
        return text == null || text.length() * 3L <= bytes || text.getBytes(StandardCharsets.UTF_8).length <= bytes;
    }
}
