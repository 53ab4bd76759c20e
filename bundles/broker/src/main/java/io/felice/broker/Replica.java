package io.felice.broker;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.storage.LogId;
import java.util.function.Consumer;

/**
 * A partition that has a replica here, and what is being done about it. Changed on the broker's thread only, except that
 * whoever asks for the partition while it is on its way gets a stand-in that waits for it.
 */
final class Replica {
    /** What is with the log. */
    enum Status {
        /** Nothing to do: another broker leads. */
        IDLE,
        OPENING,
        LEADING,
        CLOSING,
        /** The log failed or cannot be opened; tried again later. */
        OFFLINE,
        /** The engine that keeps the log is not here. */
        NO_ENGINE
    }

    final LogId id;
    final TopicPartition partition;

    volatile PartitionState wanted;
    volatile Status status = Status.IDLE;
    private volatile LeaderPartition current;
    volatile Openings.Opening opening;
    volatile String engine;
    volatile String failure;

    private AwaitedPartition awaited;

    TopicConfig config;
    volatile boolean deleted;
    int failures;
    long offlineSince;

    Replica(LogId id, PartitionState wanted) {
        this.id = id;
        this.partition = new TopicPartition(id.topic(), id.partition());
        this.wanted = wanted;
    }

    /** True while something is under way that ends by looking at the replica again. */
    boolean isBusy() {
        return status == Status.OPENING || status == Status.CLOSING;
    }

    /** Null unless this node leads the partition and its log is open. */
    LeaderPartition current() {
        return current;
    }

    /** The partition is open: what waited for it is done first. */
    void publish(LeaderPartition partition) {
        AwaitedPartition waiting;
        synchronized (this) {
            waiting = awaited;
            if (waiting == null) {
                current = partition;
                return;
            }
        }
        waiting.open(partition, () -> current = partition, partition.engine());
        synchronized (this) {
            awaited = null;
        }
    }

    /** Nobody gets the partition any more. */
    void conceal() {
        current = null;
    }

    /** The partition, or what waits for it in its place; null if it is not known to come soon. */
    Partition currentOrAwaited(int brokerId, Consumer<AwaitedPartition> onWait) {
        LeaderPartition open = current;
        if (open != null) {
            return open;
        }
        AwaitedPartition fresh;
        synchronized (this) {
            if (current != null) {
                return current;
            }
            if (awaited != null) {
                return awaited.isRefused() ? null : awaited;
            }
            if (!comesSoon(brokerId)) {
                return null;
            }
            fresh = new AwaitedPartition(partition, id.topicId(), wanted.leaderEpoch());
            awaited = fresh;
        }
        onWait.accept(fresh);
        return fresh;
    }

    private boolean comesSoon(int brokerId) {
        return switch (status) {
            case LEADING, OFFLINE -> false;
            case OPENING, NO_ENGINE -> failure == null;
            case CLOSING, IDLE -> failure == null && !deleted && wanted.leader() == brokerId;
        };
    }

    /** What waits has waited in vain. */
    void refuse(FeliceException why) {
        AwaitedPartition waiting;
        synchronized (this) {
            waiting = awaited;
            awaited = null;
        }
        if (waiting != null) {
            waiting.refuse(why);
        }
    }
}
