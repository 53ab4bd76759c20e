package io.felice.replication;

import io.felice.api.partition.FollowedPartition;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;

/** A partition that a {@link Fetcher} fetches, with what the leader was last asked. Used by the fetcher's thread only. */
final class FetchTarget {
    private static final long UNKNOWN = -1;

    final FollowedPartition partition;
    final Key key;
    /** True while the broker appends or truncates. */
    boolean isBusy;
    /** True once the partition is followed no longer, or cannot be fetched any more. */
    boolean isOver;
    /** True if the leader knows of the partition: the request was sent that has it. */
    boolean isAsked;
    /** How often in a row it failed. */
    int failures;
    /** When it is fetched again after a failure, as {@link System#nanoTime}. */
    long retryNanos;

    long leaderHighWatermark = UNKNOWN;
    /** The bytes of records that are being appended. */
    long takenBytes;
    /** True if it may wait for the answer to a request that is under way. */
    boolean isPatient;

    private long askedOffset;
    private int askedEpoch;
    private long askedStart;

    /** The identity of a partition in the answers of a leader. */
    record Key(Uuid topic, int partition) {
        Key(UUID topic, int partition) {
            this(new Uuid(topic.getMostSignificantBits(), topic.getLeastSignificantBits()), partition);
        }
    }

    FetchTarget(FollowedPartition partition) {
        this.partition = partition;
        this.key = new Key(partition.topicId(), partition.id().partition());
    }

    /** What to ask the leader now. */
    FetchPartition ask(int maxBytes) {
        isAsked = true;
        isPatient = false;
        askedOffset = partition.fetchOffset();
        askedEpoch = partition.lastFetchedEpoch();
        askedStart = partition.logStartOffset();
        return new FetchPartition()
                .setPartition(key.partition)
                .setCurrentLeaderEpoch(partition.leaderEpoch())
                .setFetchOffset(askedOffset)
                .setLastFetchedEpoch(askedEpoch)
                .setLogStartOffset(askedStart)
                .setPartitionMaxBytes(maxBytes);
    }

    /** True if the leader has to be asked something else than last time. */
    boolean isChanged() {
        return partition.fetchOffset() != askedOffset
                || partition.lastFetchedEpoch() != askedEpoch
                || partition.logStartOffset() != askedStart;
    }

    /** The records that the leader has acknowledged to clients and this broker does not have; -1 if not known. */
    long lag() {
        return leaderHighWatermark == UNKNOWN ? UNKNOWN : Math.max(0, leaderHighWatermark - partition.fetchOffset());
    }

    @Override
    public String toString() {
        return partition.id() + " (leader " + partition.leader() + ", leader epoch " + partition.leaderEpoch() + ")";
    }
}
