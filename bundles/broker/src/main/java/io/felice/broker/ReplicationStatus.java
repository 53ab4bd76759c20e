package io.felice.broker;

import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.InSyncReplicas;
import io.felice.broker.partition.InSyncReplicas.Follower;
import io.felice.broker.partition.LeaderPartition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** The broker's tables about the replicas of the partitions that it leads or follows. Any thread. */
final class ReplicationStatus {
    private static final TableSchema REPLICATION = TableSchema.of(
                    "broker.replication", "The replicas of the partitions that this node leads or follows")
            .gauge("under.replicated", "Led partitions of which a replica is not in sync")
            .gauge("under.min.in.sync", "Led partitions with too few replicas in sync for acks=all")
            .gauge("at.min.in.sync", "Led partitions that accept acks=all until one more replica is lost")
            .gauge("changing", "Led partitions whose in-sync set is being changed")
            .gauge("following", "Partitions that this node follows")
            .gauge("without.leader", "Partitions of this node that nobody leads")
            .counter(
                    "throttled.bytes",
                    Unit.BYTES,
                    "What followers got of this node under leader.replication.throttled.rate")
            .gauge("fenced", "Whether acks=1 is refused, because the node does not reach the cluster's store");
    private static final TableSchema FOLLOWERS = TableSchema.of(
                    "broker.followers",
                    "The followers of led partitions: those not in sync, then those that are furthest behind")
            .label("partition", "The partition")
            .label("follower", "The broker that follows")
            .gauge("in.sync", "Whether it is in sync")
            .gauge("lag", "Records that it does not have; -1 if it has not fetched since this node leads")
            .gauge(
                    "lag.ms",
                    Unit.MILLISECONDS,
                    "How long ago it had all records; -1 if it never had since this node leads")
            .gauge("fetched.ms", Unit.MILLISECONDS, "How long ago it has fetched the last time");
    private static final TableSchema FOLLOWED = TableSchema.of(
                    "broker.followed",
                    "The partitions that this node follows and of which it does not have all committed records, as far as"
                            + " it knows; the furthest behind first")
            .label("partition", "The partition")
            .text("leader", "The broker that leads it")
            .gauge("lag", "Committed records that this node does not have")
            .gauge("lag.ms", Unit.MILLISECONDS, "For how long it does not have all of them");
    /** A node may have tens of thousands of followers. */
    private static final int MOST_FOLLOWERS = 200;

    private final Replicas replicas;
    private final SelfFence fence;
    private final LeaderThrottle throttle;
    private final FetchTimes fetchTimes;
    private final ReassignmentProgress reassignments;
    private final LongSupplier nanos;

    ReplicationStatus(
            Replicas replicas,
            SelfFence fence,
            LeaderThrottle throttle,
            FetchTimes fetchTimes,
            ReassignmentProgress reassignments,
            LongSupplier nanos) {
        this.replicas = replicas;
        this.fence = fence;
        this.throttle = throttle;
        this.fetchTimes = fetchTimes;
        this.reassignments = reassignments;
        this.nanos = nanos;
    }

    List<StatusTable> tables() {
        List<LeaderPartition> leaders = replicas.leaders();
        return List.of(replication(leaders), followers(leaders), followed(), reassignments.table());
    }

    private StatusTable replication(List<LeaderPartition> leaders) {
        long underReplicated = 0;
        long underMin = 0;
        long atMin = 0;
        long changing = 0;
        for (LeaderPartition leader : leaders) {
            InSyncReplicas now = leader.inSync();
            int inSync = now.state().isr().size();
            underReplicated += inSync < now.state().replicas().size() ? 1 : 0;
            underMin += inSync < now.minInSync() ? 1 : 0;
            atMin += inSync == now.minInSync() ? 1 : 0;
            changing += now.change().isPresent() ? 1 : 0;
        }
        long without = replicas.all().stream()
                .filter(replica -> !replica.wanted.hasLeader())
                .count();
        return REPLICATION.row(
                underReplicated,
                underMin,
                atMin,
                changing,
                replicas.followers().count(),
                without,
                throttle.givenBytes(),
                !fence.mayAcknowledgeAlone());
    }

    private StatusTable followed() {
        return FOLLOWED.rows(replicas.followers()
                .filter(follower -> follower.lag() > 0)
                .sorted(Comparator.comparingLong(FollowerPartition::lag).reversed())
                .limit(MOST_FOLLOWERS)
                .map(follower -> List.<Object>of(
                        follower.id().toString(),
                        Integer.toString(follower.leader()),
                        follower.lag(),
                        millis(follower.lagNanos())))
                .toList());
    }

    private record Row(boolean inSync, long lag, List<Object> cells) {}

    private StatusTable followers(List<LeaderPartition> leaders) {
        List<Row> rows = new ArrayList<>();
        long now = nanos.getAsLong();
        for (LeaderPartition leader : leaders) {
            InSyncReplicas replicas = leader.inSync();
            for (Follower follower : replicas.followers()) {
                rows.add(row(leader, replicas, follower, now));
            }
        }
        rows.sort(Comparator.comparing(Row::inSync)
                .thenComparing(Comparator.comparingLong(Row::lag).reversed()));
        return FOLLOWERS.rows(
                rows.stream().limit(MOST_FOLLOWERS).map(Row::cells).toList());
    }

    private Row row(LeaderPartition leader, InSyncReplicas replicas, Follower follower, long now) {
        boolean inSync = replicas.state().isr().contains(follower.broker());
        long lag = follower.end() < 0 ? -1 : Math.max(0, leader.logEndOffset() - follower.end());
        long caughtUp = follower.everCaughtUp() ? millis(now - follower.caughtUpAt()) : -1;
        List<Object> cells = List.of(
                leader.id().toString(),
                Integer.toString(follower.broker()),
                inSync,
                lag,
                lag == 0 ? 0L : caughtUp,
                millis(now - fetchTimes.last(follower.broker(), follower.brokerEpoch(), follower.fetchedAt())));
        return new Row(inSync, lag, cells);
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(Math.max(0, nanos));
    }
}
