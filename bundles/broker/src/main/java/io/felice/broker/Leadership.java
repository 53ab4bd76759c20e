package io.felice.broker;

import static io.felice.api.ErrorCode.FENCED_LEADER_EPOCH;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.UNKNOWN_LEADER_EPOCH;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * That this node leads a partition in one epoch: by which rules, with which replicas, and until when. It ends once; from
 * then on nothing of this epoch is answered as done. Any thread.
 *
 * <p>It ends with the first failure of its log, whatever that was: a log is opened again, and so recovered to what it
 * really has, before anything is written to it again.
 */
final class Leadership {
    private final TopicPartition partition;
    private final int leaderEpoch;
    private final Room room;
    private final HighWatermark highWatermark;
    private final Consumer<Throwable> onDeath;
    private final AtomicReference<End> ended = new AtomicReference<>();

    private volatile Rules rules;
    private volatile PartitionState state;

    /** Why it is over; {@code outOfRoom} if the log failed but its device did not. */
    private record End(FeliceException why, boolean outOfRoom) {}

    /** @param onDeath learns why the log failed, once, on any thread */
    Leadership(
            TopicPartition partition,
            int leaderEpoch,
            PartitionState state,
            TopicConfig config,
            Room room,
            HighWatermark highWatermark,
            Consumer<Throwable> onDeath) {
        this.partition = partition;
        this.leaderEpoch = leaderEpoch;
        this.state = state;
        this.rules = Rules.of(config);
        this.room = room;
        this.highWatermark = highWatermark;
        this.onDeath = onDeath;
    }

    TopicPartition partition() {
        return partition;
    }

    int leaderEpoch() {
        return leaderEpoch;
    }

    Rules rules() {
        return rules;
    }

    int replicasInSync() {
        return state.isr().size();
    }

    boolean hasTooFewReplicas() {
        return replicasInSync() < rules.minInsyncReplicas();
    }

    /**
     * A new configuration or state of the same epoch.
     *
     * @return the rules as they were until now
     */
    Rules update(PartitionState newState, TopicConfig config) {
        state = newState;
        Rules old = rules;
        if (!old.config().equals(config)) {
            rules = Rules.of(config);
        }
        return old;
    }

    /** @throws FeliceException FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH */
    void checkEpoch(int epoch) {
        if (epoch >= 0 && epoch < leaderEpoch) {
            throw FENCED_LEADER_EPOCH.because(partition + " is in leader epoch " + leaderEpoch + ", not " + epoch);
        }
        if (epoch > leaderEpoch) {
            throw UNKNOWN_LEADER_EPOCH.because(partition + " is in leader epoch " + leaderEpoch + ", not " + epoch);
        }
    }

    boolean isLeading() {
        return ended.get() == null;
    }

    /** @throws FeliceException why it does not */
    void mustLead() {
        End end = ended.get();
        if (end != null) {
            throw end.why();
        }
    }

    /** @throws FeliceException if it does not lead, or the engine is full */
    void mustTakeRecords() {
        mustLead();
        room.mustBeThere();
    }

    /**
     * A write to the log has failed, for lack of room perhaps: nothing is appended any more, nothing that waits is
     * answered as done.
     *
     * @param bytes what was to be written, 0 if that is not known
     */
    FeliceException writeFailed(Throwable cause, long bytes) {
        return die(cause, isLeading() && room.ranOut(bytes));
    }

    /** The log has failed otherwise, in an fsync for example: room would not help. */
    FeliceException die(Throwable cause) {
        return die(cause, false);
    }

    private FeliceException die(Throwable cause, boolean outOfRoom) {
        FeliceException why = KAFKA_STORAGE_ERROR.because("The log of " + partition + " failed: " + cause, cause);
        if (end(new End(why, outOfRoom))) {
            onDeath.accept(cause);
        }
        return why;
    }

    /** True if it ended because the log failed. */
    boolean isDead() {
        End end = ended.get();
        return end != null && end.why().code() == KAFKA_STORAGE_ERROR;
    }

    /** True if it ended because there was no room, so that the log can be opened again at once. */
    boolean ranOutOfRoom() {
        End end = ended.get();
        return end != null && end.outOfRoom();
    }

    /** Another epoch or another broker is next. */
    void resign() {
        end(new End(NOT_LEADER_OR_FOLLOWER.because("This node no longer leads " + partition), false));
    }

    private boolean end(End end) {
        boolean first = ended.compareAndSet(null, end);
        failAwaiting();
        highWatermark.wake();
        return first;
    }

    /** Waits for the high watermark, unless all of this has ended meanwhile. */
    void await(PendingAppend append) {
        highWatermark.await(append);
        if (!isLeading()) {
            failAwaiting();
        }
    }

    private void failAwaiting() {
        highWatermark.failAwaiting(ended.get().why());
    }
}
