package io.felice.broker;

import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.engine.Openings;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.OfflinePartition;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.Role;
import java.util.function.Consumer;

/**
 * This node's replica of a partition: its state in the cluster's view, its log once the log is open, and its role.
 * Changed on the broker's thread only, except by {@link #leadingOrAwaited}, which any thread may call.
 */
final class Replica {
    /** The state of the replica's log. */
    enum Status {
        CLOSED,
        OPENING,
        /** The log is open, and the replica is between two roles. */
        CHANGING,
        LEADING,
        FOLLOWING,
        CLOSING,
        /** A copy in another engine takes the place of the log. The replica keeps its role. */
        SWITCHING,
        /** The log failed or cannot be opened. It is opened again later. */
        OFFLINE,
        /** The storage engine of the log is not running. */
        NO_ENGINE
    }

    final LogId id;
    final TopicPartition partition;

    /** Counts the attempts to open the log; a result of an earlier attempt is not used. */
    int attempt;

    volatile PartitionState wanted;
    volatile Status status = Status.CLOSED;
    volatile Openings.Opening opening;
    volatile String engine;
    /** The engine of the step that the replica is busy with; the broker's thread only. */
    MountedEngine usedBy;

    volatile String failure;
    /** Null unless the log is open. */
    volatile OpenedLog log;

    /** True once the engine has been away for so long that clients are refused at once. */
    volatile boolean engineGivenUp;
    /** How often the engine was missing when the log was to be opened. */
    int engineAbsences;

    private volatile Role role;
    private AwaitedPartition awaited;

    /** Where the log ended when it was closed the last time, and the leader epoch of then; the broker's thread only. */
    long lastEnd;

    int lastEpoch = -1;
    /** The leader epoch in which this node must not lead, because its log has lost records of the epoch; -1 for none. */
    volatile int lostEpoch = -1;

    TopicConfig config;
    volatile boolean deleted;
    int failures;
    /** In nanoseconds of the monotonic clock; undefined before the first failure. */
    long offlineSince;

    Replica(LogId id, PartitionState wanted) {
        this.id = id;
        this.partition = new TopicPartition(id.topic(), id.partition());
        this.wanted = wanted;
        this.role = new OfflinePartition(LEADER_NOT_AVAILABLE.because(partition + " is not open yet"));
    }

    /** True during a step that compares the replica with the view again when it ends. */
    boolean isBusy() {
        return switch (status) {
            case OPENING, CHANGING, CLOSING, SWITCHING -> true;
            case CLOSED, LEADING, FOLLOWING, OFFLINE, NO_ENGINE -> false;
        };
    }

    Role role() {
        return role;
    }

    boolean isToLead(int brokerId, PartitionState state) {
        return state.leader() == brokerId && state.leaderEpoch() != lostEpoch;
    }

    boolean isOffline() {
        return status == Status.OFFLINE || status == Status.NO_ENGINE || (status == Status.CLOSING && failure != null);
    }

    /** Null unless this node leads the partition and its log is open. */
    LeaderPartition leading() {
        return role instanceof LeaderPartition leader ? leader : null;
    }

    /** From now on requests for the partition fail with {@code why}. */
    void goOffline(FeliceException why) {
        role = new OfflinePartition(why);
    }

    /** Sets the role. A new leader gets the calls that waited for it before any newer call. */
    void assume(Role newRole) {
        if (!(newRole instanceof LeaderPartition leader)) {
            role = newRole;
            return;
        }
        AwaitedPartition waiting;
        synchronized (this) {
            waiting = awaited;
            if (waiting == null) {
                role = leader;
                return;
            }
        }
        waiting.open(leader, () -> role = leader, leader.log().engine());
        synchronized (this) {
            awaited = null;
        }
    }

    /**
     * The partition if this node leads it, or an {@link AwaitedPartition} whose calls wait until it does. Null if this
     * node is not about to lead the partition.
     *
     * @param onWait gets an {@link AwaitedPartition} that is new
     */
    Partition leadingOrAwaited(int brokerId, Consumer<AwaitedPartition> onWait) {
        LeaderPartition open = leading();
        if (open != null) {
            return open;
        }
        AwaitedPartition fresh;
        synchronized (this) {
            if (leading() != null) {
                return leading();
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
        boolean wantedHere = failure == null && !deleted && isToLead(brokerId, wanted);
        return switch (status) {
            case LEADING, SWITCHING, OFFLINE -> false;
            case NO_ENGINE -> wantedHere && !engineGivenUp;
            case CLOSED, OPENING, CHANGING, FOLLOWING, CLOSING -> wantedHere;
        };
    }

    /** Fails the calls that wait for a leader. */
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
