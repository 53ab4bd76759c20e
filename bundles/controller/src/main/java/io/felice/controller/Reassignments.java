package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Moves partitions to other replicas. First the assignment has the old and the new replicas. When all new ones are in
 * sync, the old ones are removed; if they already are, both happens at once. Stateless.
 */
final class Reassignments {
    private Reassignments() {}

    static ControllerResult<TopicPartition, Void> reassign(
            ClusterView view, Map<TopicPartition, Optional<List<Integer>>> targets) {
        ControllerResult.Draft<TopicPartition, Void> draft = new ControllerResult.Draft<>();
        targets.forEach((partition, target) -> draft.item(partition, records -> {
            TopicView topic = Topics.known(view.topic(partition.topic()), partition.topic());
            PartitionState state = Leaders.known(topic, partition);
            PartitionState next =
                    target.isPresent() ? started(view, state, target.get()) : cancelled(view, partition, state);
            if (!next.equals(state)) {
                records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition.partition(), next));
            }
            return null;
        }));
        return draft.done();
    }

    private static PartitionState started(ClusterView view, PartitionState state, List<Integer> target) {
        Topics.checkAssignment(view, target);
        List<Integer> before = state.replicas().stream()
                .filter(id -> !state.adding().contains(id))
                .toList();
        List<Integer> adding =
                target.stream().filter(id -> !before.contains(id)).toList();
        List<Integer> removing =
                before.stream().filter(id -> !target.contains(id)).toList();
        List<Integer> together = new ArrayList<>(target);
        together.addAll(removing);
        // If an earlier reassignment is replaced, one of its new replicas may be the only one in sync. It stays until
        // the new target is in sync.
        state.isr().stream().filter(id -> !together.contains(id)).forEach(together::add);
        List<Integer> leaving =
                together.stream().filter(id -> !target.contains(id)).toList();
        return settled(view, with(state, together, adding, leaving), target);
    }

    /** The state after the old replicas are removed, if all replicas of the target are in sync; else {@code state}. */
    private static PartitionState settled(ClusterView view, PartitionState state, List<Integer> target) {
        boolean isMove = !state.adding().isEmpty() || !state.removing().isEmpty();
        if (!isMove || !state.isr().containsAll(target)) {
            return state;
        }
        return reducedTo(view, state, target);
    }

    private static PartitionState cancelled(ClusterView view, TopicPartition partition, PartitionState state) {
        if (state.adding().isEmpty() && state.removing().isEmpty()) {
            throw ErrorCode.NO_REASSIGNMENT_IN_PROGRESS.because("No partition reassignment is in progress.");
        }
        List<Integer> before = state.replicas().stream()
                .filter(id -> !state.adding().contains(id))
                .toList();
        if (state.isr().stream().noneMatch(before::contains)) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because("The reassignment of " + partition
                    + " cannot be cancelled: none of the replicas it had before is in sync.");
        }
        PartitionState reduced = reducedTo(view, state, before);
        return reduced.leaderEpoch() > state.leaderEpoch() ? reduced : reduced.ledBy(reduced.leader(), reduced.isr());
    }

    private static PartitionState reducedTo(ClusterView view, PartitionState state, List<Integer> replicas) {
        List<Integer> isr = state.isr().stream().filter(replicas::contains).toList();
        PartitionState reduced = new PartitionState(
                replicas,
                isr,
                List.of(),
                List.of(),
                state.leader(),
                state.leaderEpoch(),
                state.partitionEpoch() + 1,
                state.recovering());
        Set<Integer> live = view.brokers().keySet();
        return isr.contains(state.leader()) || !state.hasLeader()
                ? reduced
                : reduced.ledBy(Leaders.elect(replicas, isr, live), isr);
    }

    private static PartitionState with(
            PartitionState state, List<Integer> replicas, List<Integer> adding, List<Integer> removing) {
        boolean same =
                replicas.equals(state.replicas()) && adding.equals(state.adding()) && removing.equals(state.removing());
        return same
                ? state
                : new PartitionState(
                        replicas,
                        state.isr(),
                        adding,
                        removing,
                        state.leader(),
                        state.leaderEpoch(),
                        state.partitionEpoch() + 1,
                        state.recovering());
    }
}
