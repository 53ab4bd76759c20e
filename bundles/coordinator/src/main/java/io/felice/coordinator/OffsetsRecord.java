package io.felice.coordinator;

import io.felice.api.TopicPartition;
import java.util.List;

/** One record of {@code __consumer_offsets}. A null value is a tombstone: it removes what earlier records have set. */
sealed interface OffsetsRecord {
    String group();

    record OffsetStored(String group, TopicPartition partition, StoredOffset value) implements OffsetsRecord {}

    record GroupStored(String group, StoredGroup value) implements OffsetsRecord {}

    /**
     * A committed offset.
     *
     * @param leaderEpoch -1 if the consumer did not send it
     * @param committedAt milliseconds since the epoch
     * @param expireAt milliseconds since the epoch, -1 if {@code offsets.retention.minutes} decides
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

    /** A member of a generation, with its metadata for the chosen protocol and the assignment that the leader made. */
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
