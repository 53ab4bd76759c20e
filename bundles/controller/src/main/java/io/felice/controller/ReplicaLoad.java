package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How many leaderships and replicas brokers have. The first replica of a partition is the leader. One thread. */
final class ReplicaLoad {
    private final Map<Integer, Integer> leaders = new HashMap<>();
    private final Map<Integer, Integer> replicas = new HashMap<>();
    private final Map<List<Integer>, Integer> pairs = new HashMap<>();
    private ClusterView toCount;

    /** Counts the partitions of this view, and nothing else, before the next question. */
    void countAgain(ClusterView view) {
        toCount = view;
    }

    private void count() {
        if (toCount != null) {
            ClusterView view = toCount;
            toCount = null;
            leaders.clear();
            replicas.clear();
            for (TopicView topic : view.topics()) {
                topic.partitions().values().forEach(state -> add(state.replicas()));
            }
        }
    }

    void add(List<Integer> partition) {
        count();
        leaders.merge(partition.get(0), 1, Integer::sum);
        partition.forEach(id -> replicas.merge(id, 1, Integer::sum));
    }

    void addWithPairs(List<Integer> partition) {
        add(partition);
        partition.forEach(id -> pairs.merge(List.of(partition.get(0), id), 1, Integer::sum));
    }

    long leaders(int id) {
        count();
        return leaders.getOrDefault(id, 0);
    }

    long replicas(int id) {
        count();
        return replicas.getOrDefault(id, 0);
    }

    /** In how many partitions the one is the leader and the other a replica. */
    long pairs(int leader, int follower) {
        return pairs.getOrDefault(List.of(leader, follower), 0);
    }
}
