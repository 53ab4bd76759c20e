package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.cluster.PartitionState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.random.RandomGenerator;

/**
 * Chooses which brokers keep the replicas of partitions. The replicas of a partition are spread over the racks, the
 * leaders and replicas of a topic over the brokers, and the followers of a leader over all others, so that they share
 * its load if it fails. Where several brokers are equal for the topic, the one with the fewest of all topics is chosen, and
 * else a random one. Brokers without the topic's engine, drained ones and those that are about to stop are passed over.
 *
 * <p>Used for one request. One thread.
 */
final class ReplicaPlacement {
    private final ClusterConfigs configs;
    private final RandomGenerator random;
    private final ReplicaLoad ofAll;

    /** @param ofAll of all topics; it counts what is placed */
    ReplicaPlacement(ClusterConfigs configs, RandomGenerator random, ReplicaLoad ofAll) {
        this.configs = configs;
        this.random = random;
        this.ofAll = ofAll;
    }

    /**
     * The partitions of one topic.
     *
     * @param present those that it has already
     */
    OfTopic of(String engine, Collection<PartitionState> present) {
        return new OfTopic(engine, present);
    }

    /** The partitions of one topic. */
    final class OfTopic {
        private final String engine;
        private final ReplicaLoad ofTopic = new ReplicaLoad();
        private final Set<Integer> usable = new HashSet<>();

        private OfTopic(String engine, Collection<PartitionState> present) {
            this.engine = engine;
            present.forEach(state -> ofTopic.addWithPairs(state.replicas()));
            configs.view().brokers().values().stream()
                    .filter(broker -> isUsable(broker, engine))
                    .forEach(broker -> usable.add(broker.registration().brokerId()));
        }

        /**
         * @return the replicas of each new partition, the preferred leader first
         * @throws io.felice.api.FeliceException INVALID_REPLICATION_FACTOR if too few brokers can have them
         */
        List<List<Integer>> place(int partitions, int replicationFactor) {
            if (replicationFactor > usable.size()) {
                throw tooFew(replicationFactor);
            }
            List<List<Integer>> placed = new ArrayList<>(partitions);
            for (int i = 0; i < partitions; i++) {
                List<Integer> replicas = new ArrayList<>(replicationFactor);
                while (replicas.size() < replicationFactor) {
                    replicas.add(next(replicas));
                }
                count(replicas);
                placed.add(replicas);
            }
            return placed;
        }

        /**
         * The replicas of a partition with another broker in the place of one.
         *
         * @throws io.felice.api.FeliceException INVALID_REPLICATION_FACTOR if there is no other broker that can have it
         */
        List<Integer> instead(int gone, List<Integer> replicas) {
            List<Integer> others = replicas.stream().filter(id -> id != gone).toList();
            if (others.containsAll(usable)) {
                throw tooFew(replicas.size());
            }
            int other = next(others);
            List<Integer> next = replicas.stream()
                    .map(id -> id == gone ? (Integer) other : id)
                    .toList();
            count(next);
            return next;
        }

        private void count(List<Integer> replicas) {
            ofTopic.addWithPairs(replicas);
            ofAll.add(replicas);
        }

        private int next(List<Integer> replicas) {
            List<Integer> candidates = new ArrayList<>(usable);
            candidates.removeAll(replicas);
            if (candidates.size() == 1) {
                return candidates.get(0);
            }
            Collections.shuffle(candidates, new java.util.Random(random.nextLong()));
            return Collections.min(
                    candidates,
                    (replicas.isEmpty() ? asLeader() : asFollower(replicas)).thenComparing(fewest(ofAll::replicas)));
        }

        private Comparator<Integer> asLeader() {
            return fewest(ofTopic::leaders)
                    .thenComparing(fewest(ofTopic::replicas))
                    .thenComparing(fewest(ofAll::leaders));
        }

        private Comparator<Integer> asFollower(List<Integer> replicas) {
            return fewest(id -> inRackOf(id, replicas))
                    .thenComparing(fewest(ofTopic::replicas))
                    .thenComparing(fewest(id -> ofTopic.pairs(replicas.get(0), id)));
        }

        private RuntimeException tooFew(int replicationFactor) {
            Set<Integer> others = new TreeSet<>(configs.view().brokers().keySet());
            int registered = others.size();
            others.removeAll(usable);
            String why = others.isEmpty()
                    ? ""
                    : " The brokers " + others + " get no replicas of the topic: they have not its storage engine "
                            + engine + ", are drained, or are about to stop.";
            return ErrorCode.INVALID_REPLICATION_FACTOR.because("Unable to replicate the partition " + replicationFactor
                    + " time(s): The target replication factor of " + replicationFactor
                    + " cannot be reached because only " + registered + " broker(s) are registered." + why);
        }
    }

    private boolean isUsable(LiveBroker broker, String engine) {
        return !broker.leaving()
                && !configs.isDrained(broker.registration().brokerId())
                && ClusterEngines.mayHave(configs.view(), broker, engine);
    }

    private static Comparator<Integer> fewest(ToLongFunction<Integer> count) {
        return Comparator.comparingLong(count);
    }

    /** How many of the replicas are in the rack of the broker. Brokers that do not say are in a rack each. */
    private long inRackOf(int id, List<Integer> replicas) {
        String rack = rack(id);
        return rack == null
                ? 0
                : replicas.stream().filter(other -> rack.equals(rack(other))).count();
    }

    private String rack(int id) {
        return configs.view().lastRegistration(id).map(broker -> broker.rack()).orElse(null);
    }
}
