package io.felice.broker.partition;

import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;
import static io.felice.api.ErrorCode.POLICY_VIOLATION;

import io.felice.api.FeliceException;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.engine.FreeSpace;
import java.util.List;

/**
 * Moves the log start offset, and computes how far retention and DeleteRecords move it: at most to the high watermark.
 * Any thread; {@link #moveTo} is for the log's writer on a pool thread.
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
     * The new log start offset after DeleteRecords below {@code before}; -1 stands for the high watermark.
     *
     * @throws io.felice.api.FeliceException POLICY_VIOLATION, OFFSET_OUT_OF_RANGE
     */
    long ifDeletedBefore(long before) {
        if (config().getList(TopicConfig.CLEANUP_POLICY).equals(List.of("compact"))) {
            throw POLICY_VIOLATION.because(
                    "Records of " + opened.partition() + " cannot be deleted: its cleanup.policy is compact");
        }
        long end = highWatermark.offset();
        long to = before == -1 ? end : before;
        if (to < 0 || to > end) {
            throw OFFSET_OUT_OF_RANGE.because(
                    to + " is beyond the high watermark of " + opened.partition() + ", " + end);
        }
        return to;
    }

    /** The log start offset by the topic's retention, possibly below the present one; {@code nowMs} in milliseconds. */
    long ifRetained(long nowMs) {
        return Retention.trimPoint(log.segments(), config(), highWatermark.offset(), nowMs);
    }

    private TopicConfig config() {
        return opened.rules().config();
    }

    /**
     * Does nothing if the records below {@code to} are removed already. Blocks.
     *
     * @return the log start offset
     */
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

    /**
     * On a full volume the engine may fail to write the new start although the log is sound: then the log stays open.
     */
    private RuntimeException failed(RuntimeException failure) {
        if (!(failure instanceof FeliceException) || log.hasFailed()) {
            return opened.writeFailed(failure, 0);
        }
        moved();
        space.ranOut(0);
        return failure;
    }

    /**
     * Producers cannot be read from removed records, so they need a snapshot. A full disk may have space for it only
     * after the records are removed, so this is called before and after.
     */
    private void rememberProducersBelow(long to) {
        if (!snapshots.cover(to)) {
            LogOpening.settle(log);
            snapshots.take(opened.endOffset(), replayed.snapshot());
        }
    }
}
