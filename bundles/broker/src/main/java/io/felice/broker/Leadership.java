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
 */
final class Leadership {
    private final TopicPartition partition;
    private final int leaderEpoch;
    private final HighWatermark highWatermark;
    private final Consumer<Throwable> onDeath;
    private final AtomicReference<FeliceException> ended = new AtomicReference<>();

    private volatile Rules rules;
    private volatile PartitionState state;

    /** @param onDeath learns why the log failed, once, on any thread */
    Leadership(
            TopicPartition partition,
            int leaderEpoch,
            PartitionState state,
            TopicConfig config,
            HighWatermark highWatermark,
            Consumer<Throwable> onDeath) {
        this.partition = partition;
        this.leaderEpoch = leaderEpoch;
        this.state = state;
        this.rules = Rules.of(config);
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
        FeliceException why = ended.get();
        if (why != null) {
            throw why;
        }
    }

    /** The log has failed: nothing is appended any more, nothing that waits is answered as done. */
    FeliceException die(Throwable cause) {
        FeliceException why = KAFKA_STORAGE_ERROR.because("The log of " + partition + " failed: " + cause, cause);
        if (end(why)) {
            onDeath.accept(cause);
        }
        return why;
    }

    /** True if it ended because the log failed. */
    boolean isDead() {
        FeliceException why = ended.get();
        return why != null && why.code() == KAFKA_STORAGE_ERROR;
    }

    /** Another epoch or another broker is next. */
    void resign() {
        end(NOT_LEADER_OR_FOLLOWER.because("This node no longer leads " + partition));
    }

    private boolean end(FeliceException why) {
        boolean first = ended.compareAndSet(null, why);
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
        highWatermark.failAwaiting(ended.get());
    }
}
