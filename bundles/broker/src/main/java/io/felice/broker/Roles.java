package io.felice.broker;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.Role;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The roles of this node's replicas: which one the view wants, and who is told when a role begins or ends. On the broker's
 * thread, except {@link #begin}.
 */
final class Roles {
    private static final Logger LOG = LoggerFactory.getLogger(Roles.class);

    private final int self;
    private final Leaderships leaderships;
    private final Followings followings;
    private final InSyncChanges inSyncChanges;
    private final BatchAdmission admission = new BatchAdmission();
    /** The live brokers of the last view. */
    private Set<Integer> live = Set.of();

    Roles(int self, Leaderships leaderships, Followings followings, InSyncChanges inSyncChanges) {
        this.self = self;
        this.leaderships = leaderships;
        this.followings = followings;
        this.inSyncChanges = inSyncChanges;
    }

    BatchAdmission admission() {
        return admission;
    }

    /**
     * A new view has come.
     *
     * @param leaders the partitions that this node leads
     * @return true if other brokers are live now, so that the roles of followers have to be compared
     */
    boolean follow(ClusterView news, Iterable<LeaderPartition> leaders) {
        boolean areOthers = !live.equals(news.brokers().keySet());
        live = news.brokers().keySet();
        if (inSyncChanges.follow(news)) {
            leaders.forEach(LeaderPartition::liveChanged);
        }
        return areOthers;
    }

    /** True if the replica has the role that the view wants. */
    boolean isRight(Replica replica) {
        PartitionState wanted = replica.wanted;
        Role role = replica.role();
        return role.isOf(wanted.leaderEpoch())
                && (replica.leading() != null) == replica.isToLead(self, wanted)
                && !followsDeadLeader(role);
    }

    private boolean followsDeadLeader(Role role) {
        return role instanceof FollowerPartition follower
                && followings.has(follower)
                && !live.contains(follower.leader());
    }

    /** The replica keeps its role with the newer state of the view. */
    void goOn(Replica replica) {
        LeaderPartition leading = replica.leading();
        if (leading != null) {
            leading.update(replica.wanted);
        } else {
            offerToFetch(replica.role());
        }
    }

    /** A follower of a live leader is offered to those who fetch from leaders. */
    private void offerToFetch(Role role) {
        if (role instanceof FollowerPartition follower
                && !followings.has(follower)
                && follower.leader() != self
                && live.contains(follower.leader())) {
            followings.following(follower);
        }
    }

    /** Gives an open log the role that {@code wanted} says. As the log's writer, or for the thread that opened the log. */
    Role begin(Replica replica, OpenedLog log, PartitionState wanted) {
        return replica.isToLead(self, wanted) ? log.lead(wanted, admission, inSyncChanges) : log.follow(wanted);
    }

    /**
     * A leader whose log has lost records that a follower may have read must not lead in the same epoch: it would put other
     * records at their offsets, and nobody would notice that the logs diverge (rule 21). Before {@link #begin}.
     */
    void compareWithBefore(Replica replica, OpenedLog log, PartitionState wanted) {
        boolean hasLost = wanted.leader() == self
                && wanted.replicas().size() > 1
                && wanted.leaderEpoch() == replica.lastEpoch
                && log.endOffset() < replica.lastEnd;
        if (hasLost && replica.lostEpoch != wanted.leaderEpoch()) {
            replica.lostEpoch = wanted.leaderEpoch();
            LOG.error(
                    "{} ends at offset {} after its log was opened again, and has ended at {}. This node gives up its lead,"
                            + " because followers may have the records between",
                    replica.partition,
                    log.endOffset(),
                    replica.lastEnd);
            inSyncChanges.lost(new PartitionId(replica.id.topicId(), replica.partition.partition()), wanted);
        }
    }

    /** The replica has its role from now on. */
    void enter(Replica replica, Role role) {
        replica.assume(role);
        LeaderPartition leading = replica.leading();
        if (leading == null) {
            replica.refuse(NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + replica.partition));
            offerToFetch(role);
            return;
        }
        leading.update(replica.wanted);
        leaderships.leading(leading);
    }

    /** Ends the role: from now on none of its appends is acknowledged. */
    void leave(Replica replica, FeliceException why) {
        replica.role().end(why);
        takeOffline(replica, why);
    }

    /** From now on requests fail with {@code why}. A leader may still answer the appends that it has accepted. */
    void takeOffline(Replica replica, FeliceException why) {
        Role role = replica.role();
        replica.goOffline(why);
        if (role instanceof LeaderPartition leader) {
            leaderships.resigned(leader);
        } else if (role instanceof FollowerPartition follower) {
            follower.end(why);
            followings.ended(follower);
        }
    }

    void close() {
        admission.close();
    }
}
