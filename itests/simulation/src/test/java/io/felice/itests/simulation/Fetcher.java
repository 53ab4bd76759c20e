package io.felice.itests.simulation;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.api.partition.FollowingListener;
import io.felice.api.partition.Partition;
import io.felice.api.storage.Records;
import io.felice.itests.simulation.Seams.Asked;
import io.felice.itests.simulation.Timeline.Life;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Fetches for the followed partitions of a broker over the simulated network, each on its own. */
final class Fetcher implements FollowingListener {
    private static final Duration WAIT = Duration.ofMillis(150);
    private static final long PATIENCE = 400 * Timeline.MS;

    private final ClusterSimulation cluster;
    private final SimulatedNode node;
    private final Life life;
    private final Random random;
    private final Map<FollowedPartition, Loop> loops = new HashMap<>();

    Fetcher(ClusterSimulation cluster, SimulatedNode node, Life life, Random random) {
        this.cluster = cluster;
        this.node = node;
        this.life = life;
        this.random = random;
    }

    @Override
    public void following(FollowedPartition partition) {
        Loop loop = new Loop(cluster.seams().followed(partition));
        loops.put(partition, loop);
        loop.ask();
    }

    @Override
    public void ended(FollowedPartition partition) {
        Loop loop = loops.remove(partition);
        if (loop != null) {
            loop.over = true;
        }
    }

    /** The answer of a leader, as it is on the wire. */
    private record Answer(
            ErrorCode error,
            long highWatermark,
            long logStart,
            long logEnd,
            Partition.EpochEnd divergence,
            byte[] records) {}

    private final class Loop {
        private final FollowedPartition partition;
        private boolean over;
        private long request;
        private int failures;

        Loop(FollowedPartition partition) {
            this.partition = partition;
        }

        void ask() {
            if (over || life.isDead() || !partition.isFollowing()) {
                return;
            }
            long mine = ++request;
            TopicPartition id = partition.id();
            long epoch =
                    node.seat().view().broker(node.id()).map(LiveBroker::epoch).orElse(-1L);
            Asked asked = cluster.seams()
                    .asked(new Asked(
                            node.id(),
                            epoch,
                            partition.leaderEpoch(),
                            partition.fetchOffset(),
                            partition.lastFetchedEpoch(),
                            partition.logStartOffset(),
                            partition));
            int leader = partition.leader();
            cluster.network().send(node.id(), leader, () -> serve(leader, id, asked, mine));
            cluster.timeline().after(life, PATIENCE, () -> {
                if (mine == request) {
                    ask();
                }
            });
        }

        /** On the leader's node. */
        private void serve(int leader, TopicPartition id, Asked sent, long mine) {
            SimulatedNode there = cluster.node(leader);
            if (there.seat() == null) {
                return;
            }
            Asked asked = cluster.seams().served(there, id, sent);
            cluster.seams().serving(there, id, asked);
            Want want = new Want(
                    id,
                    asked.offset(),
                    cluster.pace().fetchBytes(),
                    asked.leaderEpoch(),
                    asked.lastFetchedEpoch(),
                    asked.logStart());
            FetchPlan plan = new FetchPlan(
                    List.of(want),
                    1,
                    cluster.pace().fetchBytes(),
                    WAIT,
                    false,
                    asked.replica(),
                    asked.brokerEpoch(),
                    "");
            there.seat().fetch(plan).whenComplete((found, failure) -> {
                if (failure == null) {
                    Answer answer = answer(there, found.get(0));
                    cluster.network().send(leader, node.id(), () -> answered(mine, answer));
                }
            });
        }

        private Answer answer(SimulatedNode there, FetchedPartition found) {
            long start = found.logStartOffset();
            long end = -1;
            if (found.error() == ErrorCode.OFFSET_OUT_OF_RANGE && there.seat() != null) {
                try {
                    Partition leading = there.seat().leader(found.partition());
                    start = leading.logStartOffset();
                    end = leading.logEndOffset();
                } catch (FeliceException notLeading) {
                    return new Answer(ErrorCode.NOT_LEADER_OR_FOLLOWER, -1, -1, -1, null, new byte[0]);
                }
            }
            try (Records records = found.records()) {
                return new Answer(
                        found.error(), found.highWatermark(), start, end, found.divergence(), bytesOf(records));
            }
        }

        /** An answer that comes twice, or after the patience was over, is of an earlier connection and is not read. */
        private void answered(long mine, Answer answer) {
            if (life.isDead()) {
                return;
            }
            if (over && cluster.seams().readsLateAnswers()) {
                loops.values().stream()
                        .filter(other -> other.partition.id().equals(partition.id()))
                        .findFirst()
                        .ifPresent(other -> other.answered(other.request, answer));
                return;
            }
            if (mine != request || over) {
                return;
            }
            request++;
            switch (answer.error()) {
                case NONE -> {
                    if (answer.divergence() != null) {
                        then(partition.truncate(answer.divergence()));
                    } else {
                        then(partition.append(new Fetched(
                                answer.logStart(), answer.highWatermark(), ByteBuffer.wrap(answer.records()))));
                    }
                }
                case OFFSET_OUT_OF_RANGE -> then(partition.outOfRange(answer.logStart(), answer.logEnd()));
                default -> again();
            }
        }

        private void then(java.util.concurrent.CompletionStage<Void> done) {
            done.whenComplete((nothing, failure) -> {
                if (failure != null) {
                    again();
                } else {
                    failures = 0;
                    cluster.timeline().after(life, 1, this::ask);
                }
            });
        }

        private void again() {
            failures = Math.min(5, failures + 1);
            cluster.timeline().after(life, (10L << failures) * Timeline.MS + random.nextInt(1_000), this::ask);
        }
    }

    static byte[] bytesOf(Records records) {
        if (!(records instanceof Records.InMemory memory)) {
            throw new IllegalStateException("The records of a simulated disk are in memory");
        }
        ByteBuffer all = ByteBuffer.allocate(memory.sizeInBytes());
        memory.buffers().forEach(buffer -> all.put(buffer.duplicate()));
        return all.array();
    }
}
