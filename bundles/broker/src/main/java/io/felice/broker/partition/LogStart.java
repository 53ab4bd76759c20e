package io.felice.broker.partition;

import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;
import static io.felice.api.ErrorCode.POLICY_VIOLATION;

import io.felice.api.FeliceException;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.engine.FreeSpace;

/**
 * Where a partition's log starts: how far retention and DeleteRecords may move the start, and the move itself, which never
 * goes beyond the high watermark. Any thread may ask; {@link #moveTo} is for the log's writer on a pool thread.
 */
final class LogStart {
    private final OpenedLog opened;
    private final PartitionLog log;
    private final FreeSpace space;
    private final HighWatermark highWatermark;
    private final ReplayedState replayed;
    private final ProducerSnapshots snapshots;

    LogStart(
            OpenedLog opened,
            PartitionLog log,
            FreeSpace space,
            HighWatermark highWatermark,
            ReplayedState replayed,
            ProducerSnapshots snapshots) {
        this.opened = opened;
        this.log = log;
        this.space = space;
        this.highWatermark = highWatermark;
        this.replayed = replayed;
        this.snapshots = snapshots;
    }

    /**
     * Where the log shall start if records below {@code before} are to be deleted; -1 stands for the high watermark.
     *
     * @throws io.felice.api.FeliceException POLICY_VIOLATION, OFFSET_OUT_OF_RANGE
     */
    long ifDeletedBefore(long before) {
        if (!config().getList(TopicConfig.CLEANUP_POLICY).contains("delete")) {
            throw POLICY_VIOLATION.because(
                    "Records of " + opened.partition() + " cannot be deleted: its cleanup.policy is not delete");
        }
        long end = highWatermark.offset();
        long to = before == -1 ? end : before;
        if (to < 0 || to > end) {
            throw OFFSET_OUT_OF_RANGE.because(
                    to + " is beyond the high watermark of " + opened.partition() + ", " + end);
        }
        return to;
    }

    /** Where the log shall start by its retention; {@code nowMs} in milliseconds. All records stay if that is below its start. */
    long ifRetained(long nowMs) {
        return Retention.trimPoint(log.segments(), config(), highWatermark.offset(), nowMs);
    }

    private TopicConfig config() {
        return opened.rules().config();
    }

    /** Removes the records below {@code to}; does nothing if they are gone already. Blocks. */
    long moveTo(long to) {
        opened.mustBeOpen();
        if (to > log.startOffset()) {
            try {
                rememberProducersBelow(to);
                log.trimTo(to);
                rememberProducersBelow(to);
            } catch (RuntimeException failure) {
                throw failed(failure);
            }
            moved();
        }
        return log.startOffset();
    }

    private void moved() {
        replayed.trimmed(log.startOffset());
        space.look();
        opened.startMoved();
    }

    /** Without free space a new start may not be noted while the log itself is well; it starts where the engine says. */
    private RuntimeException failed(RuntimeException failure) {
        if (!(failure instanceof FeliceException) || log.hasFailed()) {
            return opened.writeFailed(failure, 0);
        }
        moved();
        space.ranOut(0);
        return failure;
    }

    /**
     * Producers that no snapshot has cannot be learnt from records that are gone. A full disk may have free space for a
     * snapshot only after the records went, so this is called before and after.
     */
    private void rememberProducersBelow(long to) {
        if (!snapshots.cover(to)) {
            log.settle();
            snapshots.take(opened.endOffset(), replayed.snapshot());
        }
    }
}
