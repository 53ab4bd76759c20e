package io.felice.itests.simulation;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.testkit.TestBatches;
import java.nio.ByteBuffer;
import java.util.Random;

/** A producer of one partition, with one batch at a time, which it sends again until it is answered. */
final class SimulatedProducer {
    private static final long PATIENCE = 1_200 * Timeline.MS;
    private static final long BACKOFF = 40 * Timeline.MS;

    private final ClusterSimulation cluster;
    private final TopicPartition partition;
    private final Random random;
    private final int name;
    private final Acks acks;
    private final boolean idempotent;
    private long producerId;
    private int sequence;
    private int sent;
    private int acknowledgedCount;

    // The batch that is under way; null if none is.
    private byte[] batch;
    private int records;
    private long attempt;
    private int lastLeader = -1;

    SimulatedProducer(
            ClusterSimulation cluster,
            TopicPartition partition,
            Random random,
            int name,
            Acks acks,
            boolean idempotent) {
        this.cluster = cluster;
        this.partition = partition;
        this.random = random;
        this.name = name;
        this.acks = acks;
        this.idempotent = idempotent;
        this.producerId = 1_000L * (name + 1);
    }

    int acknowledgedCount() {
        return acknowledgedCount;
    }

    boolean has(long id) {
        return idempotent && id / 1_000 == name + 1;
    }

    /** True if each acknowledged batch is kept. */
    boolean isPromisedAll() {
        return acks == Acks.ALL;
    }

    boolean isIdle() {
        return batch == null;
    }

    TopicPartition partition() {
        return partition;
    }

    /** Begins the next batch if the last one is answered. */
    void produce() {
        if (batch != null) {
            return;
        }
        records = 1 + random.nextInt(2);
        TestBatches made = TestBatches.batch(records)
                .values("producer " + name + " batch " + sent++)
                .timestamp(1_700_000_000_000L + cluster.timeline().now() / Timeline.MS);
        RecordBatch bytes = (idempotent ? made.producer(producerId, 0, sequence) : made).at(0);
        batch = TestBatches.copyOf(bytes);
        send();
    }

    private void send() {
        long mine = ++attempt;
        int to = leader();
        byte[] bytes = batch.clone();
        cluster.network().send(Network.CLIENT, to, () -> append(to, bytes, mine));
        cluster.timeline().after(null, PATIENCE, () -> {
            if (mine == attempt && batch != null) {
                failed(mine, ErrorCode.REQUEST_TIMED_OUT);
            }
        });
    }

    /** As some broker shows it; sometimes the one that was the leader before. */
    private int leader() {
        if (lastLeader >= 0 && random.nextInt(3) != 0) {
            return lastLeader;
        }
        lastLeader = -1;
        SimulatedNode asked = cluster.node(random.nextInt(cluster.size()));
        if (asked.seat() == null) {
            return asked.id();
        }
        return asked.seat()
                .view()
                .topic(partition.topic())
                .flatMap(topic -> topic.partition(partition.partition()))
                .map(PartitionState::leader)
                .filter(id -> id >= 0)
                .orElse(asked.id());
    }

    /** On the node of the leader. */
    private void append(int to, byte[] bytes, long mine) {
        SimulatedNode there = cluster.node(to);
        if (there.seat() == null) {
            return;
        }
        Partition leader;
        try {
            leader = there.seat().leader(partition);
        } catch (FeliceException refused) {
            answer(to, () -> failed(mine, refused.code()));
            return;
        }
        Seams.Producing producing = cluster.seams()
                .producing((at, batch, with) -> at.append(
                        batch,
                        with,
                        Partition.Origin.CLIENT,
                        java.time.Duration.ofMillis(1_000),
                        io.felice.api.Turn.IMMEDIATE));
        producing.append(leader, ByteBuffer.wrap(bytes), acks).whenComplete((appended, failure) -> {
            if (failure == null) {
                promised(leader, appended, bytes, there);
                answer(to, () -> acknowledged(mine, to));
            } else {
                boolean isPresent = cluster.isPresentLeader(partition, to, leader.leaderEpoch());
                ErrorCode error = FeliceException.codeOf(failure);
                boolean isOld = error == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && !isPresent;
                answer(to, () -> failed(mine, isOld ? ErrorCode.NOT_LEADER_OR_FOLLOWER : error));
            }
        });
    }

    private void answer(int from, Runnable message) {
        cluster.network().send(from, Network.CLIENT, message);
    }

    /** The leader has answered, whether or not the client gets the answer. */
    private void promised(Partition leader, Appended appended, byte[] bytes, SimulatedNode there) {
        if (acks != Acks.ALL) {
            return;
        }
        long crc = new RecordBatch(ByteBuffer.wrap(bytes), 0).crc();
        int epoch;
        try {
            epoch = leader.leaderEpoch();
        } catch (FeliceException ended) {
            epoch = -1;
        }
        cluster.promised(partition, appended.baseOffset(), crc, epoch, "A batch of producer " + name);
    }

    private void acknowledged(long mine, int from) {
        if (mine != attempt || batch == null) {
            return;
        }
        lastLeader = from;
        acknowledgedCount++;
        next();
    }

    private void next() {
        sequence += records;
        batch = null;
        attempt++;
    }

    private void failed(long mine, ErrorCode error) {
        if (mine != attempt || batch == null) {
            return;
        }
        attempt++;
        lastLeader = -1;
        if (!idempotent) {
            batch = null;
            return;
        }
        if (error == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) {
            if (acks == Acks.ALL && !cluster.committed(partition).wasUnclean()) {
                cluster.violated(new Violation("A record of producer " + name + " is missing in " + partition
                        + " before sequence " + sequence));
            }
            producerId++;
            sequence = 0;
            batch = null;
            return;
        }
        long now = attempt;
        cluster.timeline().after(null, BACKOFF, () -> {
            if (now == attempt && batch != null) {
                send();
            }
        });
    }
}
