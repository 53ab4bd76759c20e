package io.felice.broker.partition;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.records.Batches;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The role of a replica that follows the leader of one leader epoch, or waits for a leader. It appends the leader's
 * batches unchanged, and truncates its log where the two logs diverge. Any thread.
 */
final class FollowerPartition implements Role {
    private final int leaderEpoch;
    private final AtomicReference<FeliceException> end = new AtomicReference<>();
    private volatile OpenedLog log;

    FollowerPartition(OpenedLog log, PartitionState state) {
        this.log = log;
        this.leaderEpoch = state.leaderEpoch();
    }

    @Override
    public LeaderPartition leader() {
        throw NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + log.partition());
    }

    @Override
    public boolean isOf(int epoch) {
        return epoch == leaderEpoch;
    }

    /** The offset from which to fetch next. */
    long fetchOffset() {
        return log.endOffset();
    }

    /** The leader epoch of the last batch, which the fetch request carries; -1 for an empty log. */
    int lastFetchedEpoch() {
        return log.epochs().of(log.endOffset() - 1);
    }

    /** Appends what a fetch brought. The stage completes with the log end offset once the batches are appended. */
    CompletionStage<Long> append(FollowedLog.Fetched fetched) {
        return log.writer().executeAlone(() -> appendAsWriter(fetched));
    }

    /** As {@link #append}, as the log's writer. Blocks. */
    long appendAsWriter(FollowedLog.Fetched fetched) {
        mustFollow();
        List<RecordBatch> batches = fetched.batches().stream()
                .flatMap(bytes -> Batches.split(bytes).stream())
                .toList();
        if (fetched.startOffset() > log.endOffset()) {
            long first =
                    batches.isEmpty() ? fetched.startOffset() : batches.get(0).baseOffset();
            log.restartAt(Math.min(first, fetched.startOffset()));
        }
        for (RecordBatch batch : batches) {
            if (batch.nextOffset() <= log.endOffset()) {
                continue; // another fetch brought it
            }
            Batches.checkCrc(batch);
            if (!log.isPrepared(batch.leaderEpoch())) {
                log.prepare(batch.leaderEpoch());
            }
            log.append(batch, log.nowMs());
            log.appended(batch.sizeInBytes(), batch.nextOffset());
        }
        log.watermark().toldByLeader(fetched.highWatermark(), log.endOffset());
        if (fetched.startOffset() > log.startOffset()) {
            log.logStart().moveTo(fetched.startOffset());
        }
        return log.endOffset();
    }

    /**
     * The fetch response said where the leader's log and this one diverge (KIP-595): truncates what the leader does not
     * have. The stage completes with the log end offset.
     */
    CompletionStage<Long> truncate(EpochEnd leaders) {
        return log.writer().executeAlone(() -> {
            mustFollow();
            log.truncateTo(log.epochs().truncationPoint(leaders, log.endOffset()));
            return log.endOffset();
        });
    }

    private void mustFollow() {
        FeliceException why = end.get();
        if (why != null) {
            throw why;
        }
    }

    @Override
    public void movedTo(OpenedLog copy) {
        log = copy;
    }

    @Override
    public void durableTo(long offset) {
        // Nothing to do: the next fetch tells the leader where this log ends.
    }

    @Override
    public boolean isAwaited() {
        return false;
    }

    @Override
    public void startMoved() {}

    @Override
    public void end(FeliceException why) {
        end.compareAndSet(null, why);
    }
}
