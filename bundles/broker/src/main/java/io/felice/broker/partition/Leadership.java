package io.felice.broker.partition;

import static io.felice.api.ErrorCode.FENCED_LEADER_EPOCH;
import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS;
import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.UNKNOWN_LEADER_EPOCH;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition.Acks;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;
import java.util.function.UnaryOperator;

/**
 * The leadership of this node over a partition in one leader epoch: the in-sync replicas, and the appends that wait to
 * be answered. A leadership ends once. After its end all appends of this epoch fail. Any thread.
 */
final class Leadership {
    private final TopicPartition partition;
    private final int leaderEpoch;
    private final IntSupplier minInSync;
    private final LeaderHost host;
    private final PlacedAppends untilDurable = new PlacedAppends();
    private final PlacedAppends untilCommitted = new PlacedAppends();
    private final AtomicReference<FeliceException> end = new AtomicReference<>();

    /** Written while the monitor is held. */
    private volatile InSyncReplicas inSync;

    // Guarded by this.
    private HighWatermark watermark;
    private int term;

    /**
     * @param minInSync the topic's {@code min.insync.replicas}
     */
    Leadership(
            TopicPartition partition,
            InSyncReplicas inSync,
            HighWatermark watermark,
            IntSupplier minInSync,
            LeaderHost host) {
        this.partition = partition;
        this.leaderEpoch = inSync.state().leaderEpoch();
        this.inSync = inSync;
        this.watermark = watermark;
        this.term = watermark.lead();
        this.minInSync = minInSync;
        this.host = host;
        watermark.leadTo(term, inSync.highWatermark());
    }

    int leaderEpoch() {
        return leaderEpoch;
    }

    PartitionState state() {
        return inSync.state();
    }

    InSyncReplicas inSync() {
        return inSync;
    }

    /** @return true if the high watermark moved */
    synchronized boolean apply(UnaryOperator<InSyncReplicas> event) {
        InSyncReplicas next = event.apply(inSync);
        if (next == inSync) {
            return false;
        }
        inSync = next;
        return watermark.leadTo(term, next.highWatermark());
    }

    /** As the log's writer: records are about to be appended at {@code end}. */
    void growsFrom(long end) {
        if (inSync.grows(end, host::fetchedAt) != inSync) {
            apply(now -> now.grows(end, host::fetchedAt));
        }
    }

    /** A copy has taken the place of the log. */
    synchronized void movedTo(HighWatermark other, long durableEnd) {
        watermark = other;
        term = other.lead();
        apply(now -> now.movedTo(durableEnd));
    }

    /** @throws FeliceException FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH */
    static void checkEpoch(TopicPartition partition, int leaderEpoch, int epoch) {
        if (epoch >= 0 && epoch < leaderEpoch) {
            throw FENCED_LEADER_EPOCH.because(partition + " is in leader epoch " + leaderEpoch + ", not " + epoch);
        }
        if (epoch > leaderEpoch) {
            throw UNKNOWN_LEADER_EPOCH.because(partition + " is in leader epoch " + leaderEpoch + ", not " + epoch);
        }
    }

    /** The in-sync replicas, with the topic's present {@code min.insync.replicas}. */
    private InSyncReplicas now() {
        int least = minInSync.getAsInt();
        if (inSync.minInSync() != least) {
            apply(before -> before.minInSync(least));
        }
        return inSync;
    }

    /** @throws FeliceException NOT_ENOUGH_REPLICAS */
    void mustHaveEnoughReplicas() {
        InSyncReplicas now = now();
        if (!now.hasEnoughInSync()) {
            throw NOT_ENOUGH_REPLICAS.because(partition + " has "
                    + now.state().isr().size() + " replicas in sync, min.insync.replicas is " + now.minInSync());
        }
    }

    boolean isUnderMinInSync() {
        return !now().hasEnoughInSync();
    }

    boolean isOn() {
        return end.get() == null;
    }

    /** @throws FeliceException why the leadership ended */
    void mustBeOn() {
        FeliceException why = end.get();
        if (why != null) {
            throw why;
        }
    }

    /** Ends the leadership if it has not ended, and fails all waiting appends. */
    void end(FeliceException why) {
        end.compareAndSet(null, why);
        failAwaiting();
    }

    // ---- appends that wait to be answered

    /** With acks=all an append waits for the high watermark, otherwise until this replica's log is durable. */
    void await(PlacedAppends.Placed append, Acks acks) {
        (acks == Acks.ALL ? untilCommitted : untilDurable).add(append);
        if (!isOn()) {
            failAwaiting();
        }
    }

    boolean isAwaited() {
        return !untilDurable.isEmpty() || !untilCommitted.isEmpty();
    }

    void durableTo(long offset) {
        untilDurable.passed(offset, this::answerDurable);
    }

    /** If this node may have been replaced, a record that the new leader does not have must not be acknowledged. */
    private void answerDurable(PlacedAppends.Placed append) {
        if (mayBeAnsweredAlone()) {
            append.answer().complete(append.result());
        } else {
            append.answer().completeExceptionally(maybeReplaced());
        }
    }

    private boolean mayBeAnsweredAlone() {
        return inSync.isAlone() || host.mayAcknowledgeAlone();
    }

    private FeliceException maybeReplaced() {
        return NOT_LEADER_OR_FOLLOWER.because("This node does not know whether it still leads " + partition
                + ", because it does not reach the cluster's store");
    }

    /** @throws FeliceException NOT_LEADER_OR_FOLLOWER if an append that is not replicated could not be answered now */
    void mustBeKnownToLead() {
        if (!mayBeAnsweredAlone()) {
            throw maybeReplaced();
        }
    }

    void committedTo(long offset) {
        untilCommitted.passed(offset, this::answerCommitted);
    }

    private void answerCommitted(PlacedAppends.Placed append) {
        FeliceException why = end.get();
        if (why != null) {
            append.answer().completeExceptionally(why);
        } else if (now().hasEnoughAfterAppend()) {
            append.answer().complete(append.result());
        } else {
            append.answer()
                    .completeExceptionally(NOT_ENOUGH_REPLICAS_AFTER_APPEND.because("The records were appended to "
                            + partition + ", but now fewer replicas than min.insync.replicas are in sync"));
        }
    }

    void expire(long nanos) {
        untilDurable.expire(nanos, partition);
        untilCommitted.expire(nanos, partition);
    }

    private void failAwaiting() {
        FeliceException why = end.get();
        untilDurable.fail(why);
        untilCommitted.fail(why);
    }
}
