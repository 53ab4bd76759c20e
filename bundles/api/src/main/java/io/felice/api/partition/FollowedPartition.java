package io.felice.api.partition;

import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition.EpochEnd;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A replica on this node that follows the leader of one leader epoch. Its caller fetches from the leader, and passes what
 * comes; one call at a time. Any thread may call the methods; they do not block. All stages fail with
 * NOT_LEADER_OR_FOLLOWER once the replica follows this leader no longer, and with KAFKA_STORAGE_ERROR if its log failed.
 */
@ProviderType
public interface FollowedPartition {
    TopicPartition id();

    UUID topicId();

    /** The broker id of the leader. */
    int leader();

    int leaderEpoch();

    /** False once the replica follows this leader no longer, or its log has failed. */
    boolean isFollowing();

    /**
     * The offset from which to fetch next. All records below it are as durable as the topic's {@code storage.durability}
     * asks for, because the leader takes it as an acknowledgement.
     */
    long fetchOffset();

    /** The leader epoch of the record before {@link #fetchOffset}; -1 for an empty log. */
    int lastFetchedEpoch();

    long logStartOffset();

    /**
     * Appends what the leader answered. Completes when {@link #fetchOffset} has moved.
     *
     * @return fails also with CORRUPT_MESSAGE if a batch is damaged; the batches before it may be appended
     */
    CompletionStage<Void> append(Fetched fetched);

    /**
     * Removes the records that the leader does not have: the answer said where the two logs diverge (KIP-595). Completes when
     * they are removed.
     */
    CompletionStage<Void> truncate(EpochEnd leaders);

    /**
     * The leader answered OFFSET_OUT_OF_RANGE: continues at the leader's start if this log ends below it, or truncates to
     * the leader's end if this log ends above it.
     *
     * @param leaderStart the log start offset of the leader
     * @param leaderEnd the log end offset of the leader
     */
    CompletionStage<Void> outOfRange(long leaderStart, long leaderEnd);

    /**
     * What a fetch brought.
     *
     * @param logStartOffset the start of the leader's log
     * @param highWatermark of the leader
     * @param records whole batches in order, perhaps followed by a part of one; not changed until the stage completes
     * @param compactedTo as {@link FetchedPartition#compactedTo}
     */
    record Fetched(long logStartOffset, long highWatermark, ByteBuffer records, long compactedTo) {
        public Fetched(long logStartOffset, long highWatermark, ByteBuffer records) {
            this(logStartOffset, highWatermark, records, FetchedPartition.NOT_TOLD);
        }
    }
}
