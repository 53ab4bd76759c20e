package io.felice.broker.partition;

import io.felice.api.FeliceException;

/**
 * The role of this node's replica of a partition: it leads or follows over its opened log, or it is offline. A role comes
 * with a state of the cluster's view and ends once. Any thread.
 */
public sealed interface Role extends LogObserver permits LeaderPartition, FollowerPartition, OfflinePartition {
    /** @throws FeliceException what a client is answered where this replica does not lead */
    LeaderPartition leader();

    /** True if this is the role of {@code leaderEpoch}. */
    boolean isOf(int leaderEpoch);

    /** Ends the role, if nothing ended it before: every append that waits is answered with {@code why}. */
    void end(FeliceException why);

    @Override
    default void ended(FeliceException why) {
        end(why);
    }
}
