package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.Turn;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.broker.partition.AloneHost;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.Bench;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.ReadableRole;
import io.felice.records.Batches;
import io.felice.testkit.TestBatches;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three replicas with real logs under a controller that elects, changes the in-sync set, loses answers and tells each replica
 * late. Replicas lose their last records, and are not in sync then.
 */
class ThreeReplicasTest {
    private static final int REPLICAS = 3;
    private static final int HISTORIES = 4;
    private static final int STEPS = 400;

    @TempDir
    Path directory;

    @Test
    void noAcknowledgedRecordIsLostAndAllReplicasHaveTheSameRecordsInTheEnd() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("ThreeReplicasTest felice.seed=" + seed);
        int acknowledged = 0;
        int epochs = 0;
        for (int history = 0; history < HISTORIES; history++) {
            try (Cluster cluster = new Cluster(
                    directory.resolve("h" + history),
                    new Random(seed + history),
                    "history " + history + " of felice.seed " + seed)) {
                for (int step = 0; step < STEPS; step++) {
                    cluster.step(step);
                }
                cluster.heal();
                acknowledged += cluster.acknowledged.size();
                epochs += cluster.truth.leaderEpoch();
            }
        }
        System.out.println(acknowledged + " records acknowledged in " + epochs + " leader epochs");
        assertThat(acknowledged).isGreaterThan(HISTORIES);
    }

    private static final class Node {
        private final int id;
        private final Bench bench;
        private final AloneHost host = new AloneHost();
        private final Fetches fetches;
        private OpenedLog log;
        private volatile ReadableRole role;
        private long epoch;

        Node(int id, Path directory) {
            this.id = id;
            this.bench = new Bench(directory, null, id);
            this.fetches = new Fetches(
                    partition -> role,
                    PreferredReplicas.NONE,
                    LeaderThrottle.NONE,
                    new FetchTimes(),
                    bench.environment);
        }

        void open(long loses, PartitionState state) {
            bench.engine.loses = loses;
            log = bench.openLog();
            take(state);
        }

        /** The view of the cluster has come. */
        void take(PartitionState state) {
            boolean leads = state.leader() == id;
            boolean stays = role != null && role.isOn() && role.log() == log && role.isOf(state.leaderEpoch());
            if (stays) {
                if (role instanceof LeaderPartition leader) {
                    leader.update(state);
                }
                return;
            }
            if (role != null) {
                role.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("another epoch has begun"));
            }
            role = leads
                    ? get(log.become(() -> log.lead(state, new BatchAdmission(), host)))
                    : get(log.become(() -> log.follow(state)));
        }

        void close() {
            fetches.close();
            bench.close();
        }
    }

    private record Sent(InSyncChange change, LeaderPartition leader) {}

    private record Heard(FollowerPartition follower, long start, long highWatermark, byte[] records) {}

    private static final class Cluster implements AutoCloseable {
        private final Random random;
        private final String name;
        private final List<Node> nodes = new ArrayList<>();
        private final Map<Integer, Long> live = new HashMap<>();
        private final Map<Long, String> acknowledged = new TreeMap<>();
        private final List<Sent> sent = new ArrayList<>();
        private final List<Heard> heard = new ArrayList<>();
        private PartitionState truth =
                new PartitionState(List.of(0, 1, 2), List.of(0, 1, 2), List.of(), List.of(), 0, 0, 0, false);
        private int produced;
        private String when;

        Cluster(Path directory, Random random, String name) {
            this.random = random;
            this.name = name;
            for (int id = 0; id < REPLICAS; id++) {
                live.put(id, 100L + id);
                Node node = new Node(id, directory.resolve("n" + id));
                node.epoch = 100 + id;
                nodes.add(node);
            }
            tellWhoIsLive();
            nodes.forEach(node -> node.open(0, truth));
        }

        void step(int step) {
            when = name + ", step " + step;
            Node any = nodes.get(random.nextInt(REPLICAS));
            int dice = random.nextInt(40);
            if (dice < 6) {
                produce(nodes.get(truth.leader()));
            } else if (dice < 7) {
                produce(any);
            } else if (dice < 15) {
                any.take(truth);
            } else if (dice < 17) {
                propose(any);
            } else if (dice < 19) {
                decide();
            } else if (dice < 20) {
                lag(any);
            } else if (dice < 21) {
                hearAgain();
            } else if (dice < 22) {
                if (random.nextBoolean()) {
                    elect();
                } else if (random.nextInt(3) == 0) {
                    crash(any);
                }
            } else {
                fetch(any);
            }
            mustHoldTheHighWatermark();
        }

        // ---- clients

        private void produce(Node node) {
            if (!(node.role instanceof LeaderPartition leader) || !leader.isOn()) {
                return;
            }
            String value = "value-" + produced++;
            long before = leader.logEndOffset();
            Acks acks = random.nextInt(4) == 0 ? Acks.LEADER : Acks.ALL;
            CompletableFuture<Appended> answer = leader.append(
                            TestBatches.batch(1).values(value).at(0).bytes(),
                            acks,
                            Origin.CLIENT,
                            Duration.ofDays(1_000),
                            Turn.IMMEDIATE)
                    .toCompletableFuture();
            Bench.eventually(() -> assertThat(answer.isDone() || leader.logEndOffset() > before)
                    .isTrue());
            answer.thenAccept(appended -> {
                if (acks == Acks.ALL) {
                    synchronized (acknowledged) {
                        acknowledged.put(appended.baseOffset(), value);
                    }
                }
            });
        }

        // ---- the controller

        private void elect() {
            List<Integer> inSync = truth.isr();
            truth = truth.ledBy(inSync.get(random.nextInt(inSync.size())), inSync);
        }

        private void propose(Node node) {
            if (node.role instanceof LeaderPartition leader) {
                leader.propose(node.epoch).ifPresent(change -> sent.add(new Sent(change, leader)));
            }
        }

        private void decide() {
            if (sent.isEmpty()) {
                return;
            }
            Sent one = sent.get(random.nextInt(sent.size()));
            InSyncChange change = one.change();
            boolean isMade = change.leaderEpoch() == truth.leaderEpoch()
                    && change.partitionEpoch() == truth.partitionEpoch()
                    && change.isr().entrySet().stream().allMatch(this::isEligible);
            if (isMade) {
                truth = new PartitionState(
                        truth.replicas(),
                        truth.replicas().stream()
                                .filter(change.isr()::containsKey)
                                .toList(),
                        List.of(),
                        List.of(),
                        truth.leader(),
                        truth.leaderEpoch(),
                        truth.partitionEpoch() + 1,
                        false);
            }
            if (random.nextInt(4) == 0) {
                one.leader().undecided(change, false); // no answer has come
            } else if (isMade) {
                one.leader().made(change, truth);
            } else {
                one.leader().undecided(change, true);
            }
            if (random.nextBoolean()) {
                sent.remove(one);
            }
        }

        private boolean isEligible(Map.Entry<Integer, Long> proposed) {
            long epoch = proposed.getValue();
            return epoch == live.get(proposed.getKey())
                    || (epoch == -1 && truth.isr().contains(proposed.getKey()));
        }

        private void tellWhoIsLive() {
            nodes.forEach(node -> {
                node.host.live = Map.copyOf(live);
                if (node.role instanceof LeaderPartition leader) {
                    leader.liveChanged();
                }
            });
        }

        // ---- time and accidents

        private void lag(Node node) {
            node.bench.pass(random.nextInt(20_000));
            if (node.role instanceof LeaderPartition leader) {
                leader.tick();
            }
        }

        /** The process ends. What it has not flushed may be gone, and so the replica is not in sync any more. */
        private void crash(Node node) {
            List<Integer> others =
                    truth.isr().stream().filter(id -> id != node.id).toList();
            if (others.isEmpty()) {
                return;
            }
            int leader = truth.leader() == node.id ? others.get(random.nextInt(others.size())) : truth.leader();
            truth = truth.ledBy(leader, others);
            node.epoch += 10;
            live.put(node.id, node.epoch);
            node.role.end(ErrorCode.NOT_LEADER_OR_FOLLOWER.because("the process has ended"));
            node.open(random.nextInt(4), truth);
            tellWhoIsLive();
        }

        // ---- replication

        private boolean fetch(Node node) {
            if (!(node.role instanceof FollowerPartition follower) || follower.leader() < 0) {
                return false;
            }
            Node leader = nodes.get(follower.leader());
            long before = follower.fetchOffset();
            Want want = new Want(
                    Bench.ORDERS,
                    before,
                    300,
                    follower.leaderEpoch(),
                    follower.lastFetchedEpoch(),
                    follower.logStartOffset());
            FetchedPartition answer = get(leader.fetches.fetch(
                            new FetchPlan(List.of(want), 0, 300, Duration.ZERO, false, node.id, node.epoch, null)))
                    .get(0);
            if (random.nextInt(8) == 0) {
                answer.records().close();
                return true; // lost on its way
            }
            take(follower, leader, answer);
            return follower.fetchOffset() != before;
        }

        private void take(FollowerPartition follower, Node leader, FetchedPartition answer) {
            if (answer.error() == ErrorCode.OFFSET_OUT_OF_RANGE) {
                get(follower.outOfRange(leader.log.startOffset(), leader.log.endOffset()));
            } else if (answer.error() == ErrorCode.NONE && answer.divergence() != null) {
                get(follower.truncate(answer.divergence()));
            } else if (answer.error() == ErrorCode.NONE) {
                Heard one = new Heard(follower, answer.logStartOffset(), answer.highWatermark(), bytes(answer));
                get(follower.append(new Fetched(one.start(), one.highWatermark(), ByteBuffer.wrap(one.records()))));
                heard.add(one);
            }
        }

        private static byte[] bytes(FetchedPartition answer) {
            try (Records records = answer.records()) {
                List<ByteBuffer> parts = records instanceof Records.InMemory memory ? memory.buffers() : List.of();
                ByteBuffer all = ByteBuffer.allocate(
                        parts.stream().mapToInt(ByteBuffer::remaining).sum());
                parts.forEach(part -> all.put(part.duplicate()));
                return all.array();
            }
        }

        /** An answer comes twice, also to a follower that follows somebody else by now. */
        private void hearAgain() {
            if (heard.isEmpty()) {
                return;
            }
            Heard one = heard.get(random.nextInt(heard.size()));
            if (!one.follower().isFollowing()) {
                one.follower()
                        .append(new Fetched(one.start(), one.highWatermark(), ByteBuffer.wrap(one.records())))
                        .toCompletableFuture()
                        .handle((done, failure) -> null)
                        .join();
            }
        }

        // ---- what must hold

        /** Rule 11, and rule 9: whoever may be elected has every committed record. */
        private void mustHoldTheHighWatermark() {
            Node leader = nodes.get(truth.leader());
            boolean isCurrent = leader.role instanceof LeaderPartition
                    && leader.role.isOn()
                    && leader.role.isOf(truth.leaderEpoch());
            if (isCurrent) {
                for (int id : truth.isr()) {
                    assertThat(leader.log.highWatermark())
                            .as("%s: the high watermark of %s, and the end of %s", when, leader.id, id)
                            .isLessThanOrEqualTo(nodes.get(id).log.endOffset());
                }
            }
            synchronized (acknowledged) {
                for (int id : truth.isr()) {
                    acknowledged.keySet().forEach(offset -> assertThat(
                                    nodes.get(id).log.endOffset())
                            .as("%s: the end of %s, which is in sync", when, id)
                            .isGreaterThan(offset));
                }
            }
        }

        void heal() {
            when = name + ", in the end";
            elect();
            nodes.forEach(node -> node.take(truth));
            int idle = 0;
            for (int round = 0; idle < 3; round++) {
                assertThat(round).as(when + ": rounds of fetches").isLessThan(500);
                boolean isIdle = nodes.stream().filter(this::fetch).count() == 0;
                idle = isIdle ? idle + 1 : 0;
            }
            List<String> leaders = contents(nodes.get(truth.leader()));
            for (Node node : nodes) {
                assertThat(contents(node))
                        .as("%s: the records of %s", when, node.id)
                        .isEqualTo(leaders);
            }
            synchronized (acknowledged) {
                acknowledged.forEach((offset, value) -> assertThat(leaders)
                        .as(when)
                        .contains(offset + " "
                                + TestBatches.batch(1).values(value).at(0).crc()));
            }
        }

        /** Offset and checksum of each record. */
        private static List<String> contents(Node node) {
            List<String> all = new ArrayList<>();
            long from = node.log.startOffset();
            while (from < node.log.endOffset()) {
                try (Records records = node.role.readHere(from, 1 << 20, ReadLimit.LOG_END, true)) {
                    for (ByteBuffer part : ((Records.InMemory) records).buffers()) {
                        Batches.split(part.duplicate())
                                .forEach(batch -> all.add(batch.baseOffset() + " " + batch.crc()));
                    }
                    from = records.nextOffset();
                }
            }
            return all;
        }

        @Override
        public void close() {
            nodes.forEach(Node::close);
        }
    }
}
