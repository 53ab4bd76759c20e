package io.felice.controller;

import io.felice.api.cluster.ClusterView.LiveBroker;
import java.util.List;

/** Chooses which brokers keep the replicas of new partitions. */
interface ReplicaPlacement {
    /**
     * @param brokers the live brokers, sorted by id, at least {@code replicas} of them
     * @param firstPartition the number of the first new partition
     * @return the replicas of each new partition, the preferred leader first
     */
    List<List<Integer>> place(List<LiveBroker> brokers, int firstPartition, int partitions, int replicas);
}
