package io.felice.controller;

import io.felice.api.cluster.ClusterView.LiveBroker;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Gives partitions to the brokers in turn, starting at a random broker. With every round the distance between the
 * replicas of a partition grows, so that all other brokers share the load of a failed one. Ignores racks.
 */
final class RoundRobin implements ReplicaPlacement {
    private final RandomGenerator random;

    RoundRobin(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public List<List<Integer>> place(List<LiveBroker> brokers, int firstPartition, int partitions, int replicas) {
        int size = brokers.size();
        int start = random.nextInt(size);
        int shift = random.nextInt(size);
        List<List<Integer>> placed = new ArrayList<>(partitions);
        for (int partition = firstPartition; partition < firstPartition + partitions; partition++) {
            if (partition > 0 && partition % size == 0) {
                shift++;
            }
            int first = (partition + start) % size;
            List<Integer> ids = new ArrayList<>(replicas);
            ids.add(id(brokers, first));
            for (int replica = 0; replica < replicas - 1; replica++) {
                ids.add(id(brokers, (first + 1 + (shift + replica) % (size - 1)) % size));
            }
            placed.add(ids);
        }
        return placed;
    }

    private static Integer id(List<LiveBroker> brokers, int index) {
        return brokers.get(index).registration().brokerId();
    }
}
