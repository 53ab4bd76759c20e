package io.felice.broker.partition;

import io.felice.api.FeliceException;

/**
 * The role of this node's replica of a partition: it leads or follows with its opened log, or it is offline. The
 * cluster's view says which role a replica has. A role ends once. Any thread.
 */
public sealed interface Role extends LogObserver permits ReadableRole, OfflinePartition {
    /** @throws FeliceException the answer to clients if this replica does not lead */
    LeaderPartition leading();

    /** True if this is the role of {@code leaderEpoch}. */
    boolean isOf(int leaderEpoch);

    /** Ends the role if it has not ended, and fails all waiting appends with {@code why}. */
    void end(FeliceException why);

    /** Up to this offset all replicas that read this one have its records; compaction keeps the tombstones above. */
    default long appliedTo() {
        return Long.MAX_VALUE;
    }

    /** The log is not compacted above this offset. */
    default long compactibleTo() {
        return 0;
    }

    /** A copy has taken the place of the role's log. As the writer of both logs; must not block. */
    void movedTo(OpenedLog copy);

    @Override
    default void ended(FeliceException why) {
        end(why);
    }
}
