package io.felice.coordinator;

import io.felice.api.TopicPartition;
import java.util.List;

/** What one record of {@code __consumer_offsets} says; a null value takes it back (a tombstone). */
sealed interface OffsetsRecord {
    String group();

    /** A group committed an offset. */
    record OffsetStored(String group, TopicPartition partition, StoredOffset value) implements OffsetsRecord {}

    /** A group reached a generation. */
    record GroupStored(String group, StoredGroup value) implements OffsetsRecord {}

    /**
     * A committed offset.
     *
     * @param leaderEpoch -1 if the consumer did not know
     * @param committedAt milliseconds since the epoch
     * @param expireAt milliseconds since the epoch, -1 for the broker's own retention
     */
    record StoredOffset(long offset, int leaderEpoch, String metadata, long committedAt, long expireAt) {
        static final long BY_RETENTION = -1L;
    }

    /**
     * A generation of a group.
     *
     * @param protocol null for an empty group, as is {@code leader}
     * @param stateSince milliseconds since the epoch, -1 if written by an old broker
     */
    record StoredGroup(
            String protocolType,
            int generation,
            String protocol,
            String leader,
            long stateSince,
            List<StoredMember> members) {
        public StoredGroup {
            members = List.copyOf(members);
        }
    }

    /** A member of a generation, with what it said under the chosen protocol and what the leader gave it. */
    record StoredMember(
            String memberId,
            String groupInstanceId,
            String clientId,
            String clientHost,
            int rebalanceTimeoutMs,
            int sessionTimeoutMs,
            byte[] subscription,
            byte[] assignment) {}
}
