package io.felice.broker.partition;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.records.Batches;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The role of a replica that follows the leader of one leader epoch, or waits for a leader. It appends the leader's
 * batches unchanged, and truncates its log where the two logs diverge. Any thread.
 */
public final class FollowerPartition extends ReadableRole implements FollowedPartition {
    private static final Logger LOG = LoggerFactory.getLogger(FollowerPartition.class);

    private static final long NEVER = Long.MIN_VALUE;

    private final int leader;
    private final int leaderEpoch;
    private final AtomicReference<FeliceException> end = new AtomicReference<>();
    private final Queue<Unsettled> unsettled = new ConcurrentLinkedQueue<>();
    private volatile long leadersHighWatermark;
    private volatile long compactibleTo;
    /** Since when it lacks committed records, in nanoseconds of the monotonic clock; {@link #NEVER} if it has all. */
    private volatile long behindSince = NEVER;

    /** A change of the log that is not durable yet. */
    private record Unsettled(long end, CompletableFuture<Void> durable) {}

    FollowerPartition(OpenedLog log, PartitionState state) {
        super(log);
        this.leader = state.leader();
        this.leaderEpoch = state.leaderEpoch();
    }

    @Override
    public int leader() {
        return leader;
    }

    @Override
    public int leaderEpoch() {
        return leaderEpoch;
    }

    @Override
    public boolean isFollowing() {
        return isOn();
    }

    @Override
    public boolean isOn() {
        return end.get() == null;
    }

    @Override
    public LeaderPartition leading() {
        throw NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + log().partition());
    }

    /** The leader takes this offset as an acknowledgement, so it is not the log's end but the end of what is durable. */
    @Override
    public long fetchOffset() {
        return log().durableEnd();
    }

    @Override
    public int lastFetchedEpoch() {
        return epochBefore(fetchOffset());
    }

    /** The leader epoch of the last batch; -1 for an empty log(). */
    int lastEpoch() {
        return epochBefore(log().endOffset());
    }

    private int epochBefore(long offset) {
        return offset <= log().startOffset() ? -1 : log().epochs().of(offset - 1);
    }

    // ---- what a fetch brought

    @Override
    public CompletionStage<Void> append(Fetched fetched) {
        if (fetched.compactedTo() >= 0) {
            compactibleTo = fetched.compactedTo();
        }
        if (!fetched.records().hasRemaining() && fetched.logStartOffset() <= log().startOffset()) {
            return hear(fetched.highWatermark());
        }
        return change(() -> {
            List<RecordBatch> batches = Batches.splitWhole(fetched.records());
            if (!batches.isEmpty()) {
                log().mustTakeRecords();
            }
            batches.forEach(this::check);
            appendAsWriter(fetched.logStartOffset(), fetched.highWatermark(), batches);
        });
    }

    /**
     * What the leader has compacted, and all replicas have: a tombstone gets no earlier delete horizon here than there, and
     * is not removed before a replica has it that may fetch from this one later.
     */
    @Override
    public long compactibleTo() {
        return compactibleTo;
    }

    /** An answer without records changes nothing but the high watermark. */
    private CompletionStage<Void> hear(long leadersHighWatermark) {
        FeliceException why = end.get();
        if (why != null) {
            return CompletableFuture.failedFuture(why);
        }
        told(leadersHighWatermark);
        return CompletableFuture.completedFuture(null);
    }

    /** How many committed records this replica does not have yet, as far as it knows. */
    public long lag() {
        return Math.max(0, leadersHighWatermark - log().endOffset());
    }

    /** For how long this replica lacks committed records, as far as it knows, in nanoseconds; 0 if it has all. */
    public long lagNanos() {
        long since = behindSince;
        return since == NEVER ? 0 : Math.max(0, log().nanos() - since);
    }

    private void told(long leadersHighWatermark) {
        this.leadersHighWatermark = leadersHighWatermark;
        if (lag() == 0) {
            behindSince = NEVER;
        } else if (behindSince == NEVER) {
            behindSince = log().nanos();
        }
        if (log().watermark().toldByLeader(leadersHighWatermark, log().endOffset())) {
            watchers().changed();
        }
    }

    private void check(RecordBatch batch) {
        Batches.checkCrc(batch);
        if (batch.leaderEpoch() > leaderEpoch || batch.lastOffsetDelta() < 0) {
            throw CORRUPT_MESSAGE.because(
                    "A batch of leader epoch " + batch.leaderEpoch() + " and " + batch.baseOffset() + ".."
                            + batch.lastOffset() + " came from the leader of epoch " + leaderEpoch + " of " + id());
        }
    }

    /**
     * Appends the batches of another log, which starts at {@code leaderStart}. As the log's writer. Blocks.
     *
     * @param batches in order, perhaps some that the log has already
     */
    void appendAsWriter(long leaderStart, long leadersHighWatermark, List<RecordBatch> batches) {
        mustBeOn();
        if (leaderStart > log().endOffset()) {
            log().restartAt(
                            batches.isEmpty()
                                    ? leaderStart
                                    : Math.min(batches.get(0).baseOffset(), leaderStart));
        }
        for (RecordBatch batch : batches) {
            if (!has(batch)) {
                append(batch);
            }
        }
        told(leadersHighWatermark);
        if (leaderStart > log().startOffset()) {
            log().logStart().moveTo(leaderStart);
        }
    }

    /**
     * True if the log has the batch. If the log has a record of another leader epoch at the batch's offset, no fetch has
     * found out yet that the logs diverge there: then that record and those behind it are removed.
     */
    private boolean has(RecordBatch batch) {
        long base = batch.baseOffset();
        if (base >= log().endOffset()) {
            return false;
        }
        if (log().startOffset() == log().endOffset()) {
            log().restartAt(base); // the leader's log starts within the batch
            return false;
        }
        boolean diverges = base >= log().startOffset() && log().epochs().of(base) != batch.leaderEpoch();
        if (diverges) {
            log().truncateTo(base);
            return false;
        }
        if (batch.nextOffset() > log().endOffset()) {
            throw CORRUPT_MESSAGE.because("A batch of the leader has the offsets " + base + ".." + batch.lastOffset()
                    + ", but the log of " + id() + " ends at " + log().endOffset());
        }
        return true;
    }

    private void append(RecordBatch batch) {
        if (!log().isPrepared(batch.leaderEpoch())) {
            log().prepare(batch.leaderEpoch(), batch.baseOffset());
        }
        log().append(batch, log().nowMs());
        log().appended(batch.sizeInBytes(), batch.nextOffset());
    }

    @Override
    public CompletionStage<Void> truncate(EpochEnd leaders) {
        return change(() -> truncateAsWriter(leaders));
    }

    /** As {@link #truncate}, as the log's writer. Blocks. */
    void truncateAsWriter(EpochEnd leaders) {
        log().truncateTo(log().epochs().truncationPoint(leaders, log().endOffset()));
        watchers().changed();
    }

    @Override
    public CompletionStage<Void> outOfRange(long leaderStart, long leaderEnd) {
        return change(() -> {
            long logEnd = log().endOffset();
            if (leaderStart > logEnd || leaderEnd < log().startOffset()) {
                LOG.warn(
                        "The log of {} had the offsets {}..{} and is emptied: the log of its leader, broker {}, has {}..{}",
                        id(),
                        log().startOffset(),
                        logEnd,
                        leader,
                        leaderStart,
                        leaderEnd);
                log().restartAt(leaderStart);
            } else if (leaderEnd < logEnd) {
                log().truncateTo(leaderEnd);
            }
            watchers().changed();
        });
    }

    @Override
    public void tick() {
        log().tick();
    }

    /** Changes the log as its writer. The stage completes when the log is durable up to its end. */
    private CompletionStage<Void> change(Runnable operation) {
        CompletableFuture<Void> durable = new CompletableFuture<>();
        log().writer()
                .executeAlone(() -> {
                    mustBeOn();
                    operation.run();
                    await(durable);
                    return null;
                })
                .whenComplete((nothing, failure) -> {
                    if (failure != null) {
                        durable.completeExceptionally(FeliceException.unwrap(failure));
                    }
                });
        return durable;
    }

    /** The writer settles the log after the operation. */
    private void await(CompletableFuture<Void> durable) {
        unsettled.add(new Unsettled(log().endOffset(), durable));
        durableTo(log().durableEnd());
        FeliceException why = end.get();
        if (why != null) {
            failUnsettled(why);
        }
    }

    @Override
    public void mustBeOn() {
        FeliceException why = end.get();
        if (why != null) {
            throw why;
        }
    }

    // ---- what the log reports

    @Override
    public void durableTo(long offset) {
        for (Unsettled first = unsettled.peek(); first != null && first.end() <= offset; first = unsettled.peek()) {
            if (unsettled.remove(first)) {
                first.durable().complete(null);
            }
        }
    }

    @Override
    public boolean isAwaited() {
        return !unsettled.isEmpty();
    }

    @Override
    public void end(FeliceException why) {
        end.compareAndSet(null, why);
        failUnsettled(why);
        watchers().changed();
    }

    private void failUnsettled(FeliceException why) {
        for (Unsettled change = unsettled.poll(); change != null; change = unsettled.poll()) {
            change.durable().completeExceptionally(why);
        }
    }
}
