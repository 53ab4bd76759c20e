package io.felice.broker.partition;

import io.felice.api.FeliceException;

/**
 * The role of a replica whose log is not open.
 *
 * @param why the answer to clients
 */
public record OfflinePartition(FeliceException why) implements Role {
    @Override
    public LeaderPartition leading() {
        throw why;
    }

    @Override
    public boolean isOf(int leaderEpoch) {
        return false;
    }

    @Override
    public void end(FeliceException ignored) {}

    @Override
    public void movedTo(OpenedLog copy) {}

    @Override
    public void durableTo(long end) {}

    @Override
    public boolean isAwaited() {
        return false;
    }

    @Override
    public void startMoved() {}
}
