package io.felice.itests.simulation;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.storage.Records;
import io.felice.itests.simulation.SimulatedDisk.StoredBatch;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/** A consumer of one partition. What it reads must be committed, and the same for ever. */
final class SimulatedReader {
    private static final int MOST_BYTES = 2_000;

    private final ClusterSimulation cluster;
    private final TopicPartition partition;
    private final Random random;
    private long position;
    private long batchesRead;

    SimulatedReader(ClusterSimulation cluster, TopicPartition partition, Random random) {
        this.cluster = cluster;
        this.partition = partition;
        this.random = random;
    }

    long batchesRead() {
        return batchesRead;
    }

    /** Reads once, from a broker that is said to lead. */
    void read() {
        SimulatedNode asked = cluster.node(random.nextInt(cluster.size()));
        int to = asked.seat() == null
                ? asked.id()
                : asked.seat()
                        .view()
                        .topic(partition.topic())
                        .flatMap(topic -> topic.partition(partition.partition()))
                        .map(PartitionState::leader)
                        .filter(id -> id >= 0)
                        .orElse(asked.id());
        long from = position;
        cluster.network().send(Network.CLIENT, to, () -> fetch(to, from));
    }

    private void fetch(int to, long from) {
        SimulatedNode there = cluster.node(to);
        if (there.seat() == null) {
            return;
        }
        FetchPlan plan = new FetchPlan(
                List.of(new FetchPlan.Want(partition, from, MOST_BYTES, -1, -1)), 0, MOST_BYTES, Duration.ZERO, false);
        there.seat().fetch(plan).whenComplete((found, failure) -> {
            if (failure == null) {
                cluster.look(partition);
                FetchedPartition one = found.get(0);
                byte[] bytes;
                try (Records records = one.records()) {
                    bytes = Fetcher.bytesOf(records);
                }
                cluster.network().send(to, Network.CLIENT, () -> received(from, one.error(), bytes));
            }
        });
    }

    private void received(long from, ErrorCode error, byte[] bytes) {
        if (from != position) {
            return;
        }
        if (error == ErrorCode.OFFSET_OUT_OF_RANGE) {
            if (cluster.committed(partition).wasUnclean()) {
                position = 0;
            }
            return;
        }
        if (error == ErrorCode.NONE && bytes.length > 0) {
            Batches.split(ByteBuffer.wrap(bytes)).forEach(batch -> {
                cluster.read(partition, StoredBatch.copyOf(batch));
                position = batch.nextOffset();
                batchesRead++;
            });
        }
    }
}
