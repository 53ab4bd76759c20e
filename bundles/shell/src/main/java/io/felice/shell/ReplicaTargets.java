package io.felice.shell;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which brokers have the replicas of topics when each partition gets another number of them. A partition keeps the replicas
 * that it has; further ones come to other racks first, and to the brokers with the fewest replicas. If there are too many, the
 * first in-sync ones stay. One use, one thread.
 */
final class ReplicaTargets {
    private final ClusterView view;
    private final int count;
    private final Map<Integer, Integer> replicasOf = new HashMap<>();
    private final Map<TopicPartition, Optional<List<Integer>>> targets =
            new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));

    private ReplicaTargets(ClusterView view, int count) {
        this.view = view;
        this.count = count;
        view.topics().stream()
                .flatMap(topic -> topic.partitions().values().stream())
                .flatMap(state -> state.replicas().stream())
                .forEach(broker -> replicasOf.merge(broker, 1, Integer::sum));
    }

    /**
     * The replicas of the partitions that have not so many, or not all of them on these brokers; the preferred leader first.
     *
     * @throws IllegalArgumentException if there are fewer live brokers
     */
    static Map<TopicPartition, Optional<List<Integer>>> of(ClusterView view, Collection<TopicView> topics, int count) {
        if (count < 1 || count > view.brokers().size()) {
            throw new IllegalArgumentException("A partition can have 1 to "
                    + view.brokers().size() + " replicas, because so many brokers are alive.");
        }
        ReplicaTargets all = new ReplicaTargets(view, count);
        topics.forEach(topic -> topic.partitions()
                .forEach((number, state) -> all.add(new TopicPartition(topic.name(), number), state)));
        return all.targets;
    }

    private void add(TopicPartition partition, PartitionState state) {
        List<Integer> target = count < state.replicas().size() ? fewer(state) : more(state.replicas());
        if (!target.equals(state.replicas())) {
            targets.put(partition, Optional.of(target));
        }
    }

    private List<Integer> fewer(PartitionState state) {
        List<Integer> inSyncFirst = new ArrayList<>(state.replicas());
        inSyncFirst.sort(Comparator.comparing(broker -> !state.isr().contains(broker)));
        List<Integer> kept = inSyncFirst.subList(0, count);
        return state.replicas().stream().filter(kept::contains).toList();
    }

    private List<Integer> more(List<Integer> present) {
        List<Integer> replicas = new ArrayList<>(present);
        while (replicas.size() < count) {
            int next = view.brokers().keySet().stream()
                    .filter(broker -> !replicas.contains(broker))
                    .min(Comparator.<Integer>comparingLong(broker -> inRackOf(broker, replicas))
                            .thenComparing(broker -> replicasOf.getOrDefault(broker, 0))
                            .thenComparing(broker -> broker))
                    .orElseThrow(() -> new IllegalArgumentException(
                            "Some replicas are on brokers that are not alive: too few others are left."));
            replicas.add(next);
            replicasOf.merge(next, 1, Integer::sum);
        }
        return replicas;
    }

    private long inRackOf(int broker, List<Integer> replicas) {
        String rack = rack(broker);
        return rack == null
                ? 0
                : replicas.stream()
                        .filter(other -> Objects.equals(rack, rack(other)))
                        .count();
    }

    private String rack(int broker) {
        return view.lastRegistration(broker).map(BrokerRegistration::rack).orElse(null);
    }
}
