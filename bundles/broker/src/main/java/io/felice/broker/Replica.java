package io.felice.broker;

import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.Openings;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.OfflinePartition;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.Role;
import java.util.function.Consumer;

/**
 * This node's replica of a partition: what the cluster wants of it, its log once that is open, and its role. Changed on
 * the broker's thread only, except that whoever asks for a partition that is on its way gets a stand-in that waits for it.
 */
final class Replica {
    /** What is under way with the log. */
    enum Status {
        CLOSED,
        OPENING,
        /** Open, and between two roles. */
        CHANGING,
        LEADING,
        FOLLOWING,
        CLOSING,
        /** The log failed or cannot be opened; it is tried again later. */
        OFFLINE,
        /** The engine that keeps the log is not here. */
        NO_ENGINE
    }

    final LogId id;
    final TopicPartition partition;

    volatile PartitionState wanted;
    volatile Status status = Status.CLOSED;
    volatile Openings.Opening opening;
    volatile String engine;
    volatile String failure;
    /** Null unless it is open. */
    volatile OpenedLog log;

    /** True once the engine has been away for so long that nobody waits for it any more. */
    volatile boolean engineGivenUp;
    /** How often the engine was found absent. */
    int engineAbsences;

    private volatile Role role;
    private AwaitedPartition awaited;

    TopicConfig config;
    volatile boolean deleted;
    int failures;
    /** In nanoseconds of the monotonic clock; means something after the first failure. */
    long offlineSince;

    Replica(LogId id, PartitionState wanted) {
        this.id = id;
        this.partition = new TopicPartition(id.topic(), id.partition());
        this.wanted = wanted;
        this.role = new OfflinePartition(LEADER_NOT_AVAILABLE.because(partition + " is not open yet"));
    }

    /** True while something is under way that ends by looking at the replica again. */
    boolean isBusy() {
        return status == Status.OPENING || status == Status.CHANGING || status == Status.CLOSING;
    }

    Role role() {
        return role;
    }

    boolean isOffline() {
        return status == Status.OFFLINE || status == Status.NO_ENGINE;
    }

    /** Why it is offline. */
    String reasonOffline() {
        return status == Status.NO_ENGINE ? "the storage engine " + engine + " is not here" : failure;
    }

    /** Null unless this node leads the partition and its log is open. */
    LeaderPartition leading() {
        return role instanceof LeaderPartition leader ? leader : null;
    }

    /** No client gets the partition any more; each is answered with {@code why}. */
    void goOffline(FeliceException why) {
        role = new OfflinePartition(why);
    }

    /** The replica has this role now. Calls that waited for a leader are done before any newer call reaches it. */
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

    /** The partition, or what waits for it in its place; null if it is not known to come soon. */
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
        boolean wantedHere = failure == null && !deleted && wanted.leader() == brokerId;
        return switch (status) {
            case LEADING, OFFLINE -> false;
            case NO_ENGINE -> wantedHere && !engineGivenUp;
            case CLOSED, OPENING, CHANGING, FOLLOWING, CLOSING -> wantedHere;
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
