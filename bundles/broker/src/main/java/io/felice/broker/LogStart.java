package io.felice.broker;

import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;
import static io.felice.api.ErrorCode.POLICY_VIOLATION;

import io.felice.api.FeliceException;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.PartitionLog;

/**
 * Where a partition's log begins: how far retention and DeleteRecords may move it, and the move itself, which never goes
 * beyond the high watermark. Asking is for any thread, {@link #moveTo} for the writer on a pool thread.
 */
final class LogStart {
    private final Leadership leadership;
    private final PartitionLog log;
    private final Room room;
    private final HighWatermark highWatermark;
    private final Committer committer;
    private final Epochs epochs;
    private final ProducerSnapshots snapshots;

    LogStart(
            Leadership leadership,
            PartitionLog log,
            Room room,
            HighWatermark highWatermark,
            Committer committer,
            Epochs epochs,
            ProducerSnapshots snapshots) {
        this.leadership = leadership;
        this.log = log;
        this.room = room;
        this.highWatermark = highWatermark;
        this.committer = committer;
        this.epochs = epochs;
        this.snapshots = snapshots;
    }

    /**
     * Where the log shall begin if records below {@code before} are to be deleted; -1 stands for the high watermark.
     *
     * @throws io.felice.api.FeliceException POLICY_VIOLATION, OFFSET_OUT_OF_RANGE
     */
    long ifDeletedBefore(long before) {
        if (!config().getList(TopicConfig.CLEANUP_POLICY).contains("delete")) {
            throw POLICY_VIOLATION.because(
                    "Records of " + leadership.partition() + " cannot be deleted: it is only compacted");
        }
        long end = highWatermark.offset();
        long to = before == -1 ? end : before;
        if (to < 0 || to > end) {
            throw OFFSET_OUT_OF_RANGE.because(
                    to + " is beyond the high watermark of " + leadership.partition() + ", " + end);
        }
        return to;
    }

    /** Where the log shall begin by its retention; {@code now} in milliseconds. Below where it begins: all stays. */
    long ifRetained(long now) {
        return Retention.trimPoint(log.segments(), config(), highWatermark.offset(), now);
    }

    private TopicConfig config() {
        return leadership.rules().config();
    }

    /** Lets go of what is below {@code to}; does nothing if that is gone already. Blocks. */
    long moveTo(long to) {
        leadership.mustLead();
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
        epochs.trimTo(log.startOffset());
        room.look();
        highWatermark.wake();
    }

    /** There may be no room to note a new start while all the rest is well: then the log begins where it says it does. */
    private RuntimeException failed(RuntimeException failure) {
        if (!(failure instanceof FeliceException) || !isWell(log)) {
            return leadership.writeFailed(failure, 0);
        }
        moved();
        room.ranOut(0);
        return failure;
    }

    /** False for a log that died of what just failed. */
    static boolean isWell(PartitionLog log) {
        try {
            log.settle();
            return true;
        } catch (RuntimeException dead) {
            return false;
        }
    }

    /**
     * What the snapshots do not know yet cannot be learnt from records that are gone. There may be room for one only when
     * they are.
     */
    private void rememberProducersBelow(long to) {
        if (!snapshots.cover(to)) {
            log.settle();
            snapshots.takeAt(committer.logEnd());
        }
    }
}
