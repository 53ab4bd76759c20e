package io.felice.broker.partition;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The role of a replica that follows the leader of one leader epoch, or waits for one. It appends what the leader has, as
 * it is, and truncates where the two logs part. Any thread.
 */
final class FollowerPartition implements Role {
    private final OpenedLog log;
    private final int leaderEpoch;
    private final AtomicReference<FeliceException> end = new AtomicReference<>();

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

    /** Where the next fetch from the leader begins. */
    long fetchOffset() {
        return log.endOffset();
    }

    /** The leader epoch of the last batch, which the fetch tells the leader; -1 for an empty log. */
    int lastFetchedEpoch() {
        return log.epochs().of(log.endOffset() - 1);
    }

    /**
     * Appends what a fetch brought. The stage completes with the log's end once the batches are in the log.
     *
     * @param batches whole batches, in order, beginning at {@link #fetchOffset}
     * @param leadersHighWatermark as the same answer has it
     */
    CompletionStage<Long> append(ByteBuffer batches, long leadersHighWatermark) {
        return log.writer().executeAlone(() -> {
            mustFollow();
            for (RecordBatch batch : Batches.split(batches)) {
                Batches.checkCrc(batch);
                if (!log.isPrepared(batch.leaderEpoch())) {
                    log.prepare(batch.leaderEpoch());
                }
                log.append(batch, log.nowMs());
                log.appended(batch.sizeInBytes(), batch.nextOffset());
            }
            log.watermark().toldByLeader(leadersHighWatermark, log.endOffset());
            return log.endOffset();
        });
    }

    /**
     * The leader said where its log and this one part (KIP-595): cuts off what the leader does not have. The stage
     * completes with the log's end.
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
    public void durableTo(long offset) {
        // The next fetch tells the leader how far this log goes.
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
