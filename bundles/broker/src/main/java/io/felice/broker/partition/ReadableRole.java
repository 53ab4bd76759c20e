package io.felice.broker.partition;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import java.util.Optional;

/**
 * A role in which clients may read the log: everybody from a leader, consumers also from a follower (KIP-392), up to the
 * high watermark that it knows. Any thread.
 */
public sealed interface ReadableRole extends Role permits LeaderPartition, FollowerPartition {
    OpenedLog log();

    TopicPartition id();

    /** @throws FeliceException why the role has ended */
    void mustBeOn();

    /** False once the role has ended. */
    boolean isOn();

    /** @throws FeliceException FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH; nothing happens if {@code epoch} is -1 */
    void checkEpoch(int epoch);

    /** About every second: the regular work. */
    void tick();

    /** @param isReplica true if every append wakes the watcher; false if only committed records do */
    void watch(Watcher watcher, boolean isReplica);

    void unwatch(Watcher watcher, boolean isReplica);

    default long logStartOffset() {
        return log().startOffset();
    }

    default long logEndOffset() {
        return log().endOffset();
    }

    default long highWatermark() {
        return log().highWatermark();
    }

    default long lastStableOffset() {
        return log().highWatermark();
    }

    default long appendedBytes() {
        return log().appendedBytes();
    }

    default boolean isHot(long from) {
        return log().isHot(from);
    }

    default long endOf(ReadLimit limit) {
        return endOf(limit, log());
    }

    private static long endOf(ReadLimit limit, OpenedLog log) {
        return switch (limit) {
            case LOG_END -> log.endOffset();
            case HIGH_WATERMARK, LAST_STABLE_OFFSET -> log.highWatermark();
        };
    }

    /** Where a reader's log and this one diverge; empty if the reader may go on. As {@link Epochs#divergence}. */
    default Optional<EpochEnd> divergence(int lastFetchedEpoch, long fetchOffset) {
        mustBeOn();
        return log().epochs().divergence(lastFetchedEpoch, fetchOffset, logEndOffset());
    }

    /** Reads on the caller's thread; blocks if {@code from} is not hot. */
    default Records readHere(long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        mustBeOn();
        OpenedLog now = log();
        try {
            return read(now, from, maxBytes, limit, atLeastOne);
        } catch (FeliceException failure) {
            if (log() == now) {
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
