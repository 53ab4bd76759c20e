package io.felice.broker.partition;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import java.util.Optional;
import java.util.UUID;

/**
 * A role in which clients may read the log: everybody from a leader, consumers also from a follower (KIP-392), up to the
 * high watermark that it knows. Any thread.
 */
public abstract sealed class ReadableRole implements Role permits LeaderPartition, FollowerPartition {
    private final Watchers watchers = new Watchers();
    private volatile OpenedLog log;

    ReadableRole(OpenedLog log) {
        this.log = log;
    }

    public final OpenedLog log() {
        return log;
    }

    public final TopicPartition id() {
        return log.partition();
    }

    public final UUID topicId() {
        return log.id().topicId();
    }

    public abstract int leaderEpoch();

    @Override
    public final boolean isOf(int epoch) {
        return epoch == leaderEpoch();
    }

    /** @throws FeliceException why the role has ended */
    public abstract void mustBeOn();

    /** False once the role has ended. */
    public abstract boolean isOn();

    /** @throws FeliceException FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH; nothing happens if {@code epoch} is -1 */
    public final void checkEpoch(int epoch) {
        Leadership.checkEpoch(id(), leaderEpoch(), epoch);
    }

    /** About every second: the regular work. */
    public abstract void tick();

    @Override
    public void movedTo(OpenedLog copy) {
        log = copy;
    }

    // ---- who waits for news

    /** @param isReplica true if every append wakes the watcher; false if only committed records do */
    public final void watch(Watcher watcher, boolean isReplica) {
        watchers.add(watcher, isReplica);
    }

    public final void unwatch(Watcher watcher, boolean isReplica) {
        watchers.remove(watcher, isReplica);
    }

    final Watchers watchers() {
        return watchers;
    }

    @Override
    public final void startMoved() {
        watchers.changed();
    }

    // ---- offsets

    public final long logStartOffset() {
        return log.startOffset();
    }

    public final long logEndOffset() {
        return log.endOffset();
    }

    public final long highWatermark() {
        return log.highWatermark();
    }

    public final long lastStableOffset() {
        return log.highWatermark();
    }

    public final long sizeInBytes() {
        return log.sizeInBytes();
    }

    public final long appendedBytes() {
        return log.appendedBytes();
    }

    public final boolean isHot(long from) {
        return log.isHot(from);
    }

    public final long endOf(ReadLimit limit) {
        return endOf(limit, log);
    }

    private static long endOf(ReadLimit limit, OpenedLog log) {
        return switch (limit) {
            case LOG_END -> log.endOffset();
            case HIGH_WATERMARK, LAST_STABLE_OFFSET -> log.highWatermark();
        };
    }

    /** Where a reader's log and this one diverge; empty if the reader may go on. As {@link Epochs#divergence}. */
    public final Optional<EpochEnd> divergence(int lastFetchedEpoch, long fetchOffset) {
        mustBeOn();
        return log.epochs().divergence(lastFetchedEpoch, fetchOffset, logEndOffset());
    }

    // ---- records

    /** Reads on the caller's thread; blocks if {@code from} is not hot. */
    public final Records readHere(long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        mustBeOn();
        OpenedLog now = log;
        try {
            return read(now, from, maxBytes, limit, atLeastOne);
        } catch (FeliceException failure) {
            if (log == now) {
                throw failure;
            }
            // A copy took the place of the log while it was read.
            return readHere(from, maxBytes, limit, atLeastOne);
        }
    }

    private Records read(OpenedLog log, long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        long start = log.startOffset();
        long logEnd = log.endOffset();
        if (from < start || from > logEnd) {
            throw ErrorCode.OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + logEnd + " of " + id());
        }
        long end = endOf(limit, log);
        boolean nothing = from >= end || (maxBytes <= 0 && !atLeastOne);
        return nothing ? Records.EMPTY : log.read(from, end, maxBytes, atLeastOne);
    }
}
