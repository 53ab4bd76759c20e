package io.felice.itests.simulation;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** The places where a mutation may change what passes between the classes of the product. Nothing is changed here. */
class Seams {
    /** Set before the simulation runs. */
    ClusterSimulation simulation;

    /** What a follower asks of its leader. */
    record Asked(
            int replica,
            long brokerEpoch,
            int leaderEpoch,
            long offset,
            int lastFetchedEpoch,
            long logStart,
            FollowedPartition by) {
        Asked from(long other) {
            return new Asked(replica, brokerEpoch, leaderEpoch, other, lastFetchedEpoch, logStart, by);
        }

        Asked lastEpoch(int other) {
            return new Asked(replica, brokerEpoch, leaderEpoch, offset, other, logStart, by);
        }

        Asked knowing(int otherLeaderEpoch) {
            return new Asked(replica, brokerEpoch, otherLeaderEpoch, offset, lastFetchedEpoch, logStart, by);
        }

        Asked in(long otherBrokerEpoch) {
            return new Asked(replica, otherBrokerEpoch, leaderEpoch, offset, lastFetchedEpoch, logStart, by);
        }
    }

    /** The faults of a seed. A mutation that few kinds of faults show has only those. */
    List<Fault> faultsOf(long seed) {
        return ClusterSimulation.faultsOf(seed);
    }

    ClusterSimulation.Pace pace(ClusterSimulation.Pace random) {
        return random;
    }

    SimulatedDisk.Promise promise(SimulatedDisk.Promise random) {
        return random;
    }

    /** A follower, before the simulation fetches for it. */
    FollowedPartition followed(FollowedPartition partition) {
        return partition;
    }

    /** A fetch of a follower, before its leader gets it. */
    Asked asked(Asked fetch) {
        return fetch;
    }

    /** A fetch of a follower, as the leader serves it. */
    Asked served(SimulatedNode leader, TopicPartition partition, Asked fetch) {
        return fetch;
    }

    /** The leader begins to serve a fetch. */
    void serving(SimulatedNode leader, TopicPartition partition, Asked fetch) {}

    /** True if answers are read that came from a leader that is not followed any more. */
    boolean readsLateAnswers() {
        return false;
    }

    /** The right of an elected controller to write. */
    ClusterStore.Term term(ClusterStore.Term term) {
        return term;
    }

    /** Changes of the controller, before the store gets them. {@code before} is the view that they were decided on. */
    List<MetadataRecord> decided(ClusterView before, List<MetadataRecord> records) {
        return records;
    }

    BrokerRegistration registered(BrokerRegistration broker) {
        return broker;
    }

    /** True if engines say that a batch is written before it is. */
    boolean settlesLate() {
        return false;
    }

    /** True if engines say that a batch is flushed before it is. */
    boolean flushesLate() {
        return false;
    }

    /** Changes of in-sync sets, before the controller gets them. */
    Map<PartitionId, InSyncChange> proposed(Map<PartitionId, InSyncChange> changes) {
        return changes;
    }

    /** The answer to them, before the leader gets it. */
    CompletionStage<Decided<PartitionId, PartitionState>> answered(
            Map<PartitionId, InSyncChange> changes, CompletionStage<Decided<PartitionId, PartitionState>> answer) {
        return answer;
    }

    /** How long a broker waits for an answer of the controller, in nanoseconds. */
    long adminPatience(long usual) {
        return usual;
    }

    /** How long a message to the controller takes beside the time in the network, in nanoseconds. */
    long adminDelay() {
        return 0;
    }

    /** The partitions as the coordinator of groups sees them. */
    Partitions coordinated(Partitions partitions) {
        return partitions;
    }

    /** The role that an append of a client goes to. */
    Producing producing(Producing leader) {
        return leader;
    }

    /** Passes the batch of a client to the leader of a partition. */
    interface Producing {
        CompletionStage<Partition.Appended> append(Partition partition, ByteBuffer batch, Partition.Acks acks);
    }
}
