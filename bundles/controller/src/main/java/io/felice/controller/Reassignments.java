package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Moves partitions to other replicas. First the assignment has the old and the new replicas. When all new ones are in
 * sync, the old ones are removed; if they already are, both happens at once. No move, and no end of one, leaves a partition with
 * fewer replicas in sync than {@code min.insync.replicas} that has enough of them. Stateless.
 */
final class Reassignments {
    private Reassignments() {}

    static ControllerResult<TopicPartition, Void> reassign(
            ClusterConfigs configs, Map<TopicPartition, Optional<List<Integer>>> targets) {
        ControllerResult.Draft<TopicPartition, Void> draft = new ControllerResult.Draft<>();
        targets.forEach((partition, target) -> draft.item(partition, records -> {
            TopicView topic = Topics.known(configs.view().topic(partition.topic()), partition.topic());
            PartitionState state = Leaders.known(topic, partition);
            target.ifPresent(replicas -> checkFactor(configs, partition, state, replicas));
            PartitionState next = target.isPresent()
                    ? started(configs, topic.name(), state, target.get())
                    : cancelled(configs, partition, state);
            if (!next.equals(state)) {
                records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition.partition(), next));
            }
            return null;
        }));
        return draft.done();
    }

    /** Otherwise producers with acks=all would be refused from the end of the move on. */
    private static void checkFactor(
            ClusterConfigs configs, TopicPartition partition, PartitionState state, List<Integer> target) {
        int least = configs.minInSync(partition.topic());
        if (target.size() < least && before(state).size() >= least) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because(
                    "The partition " + partition + " would have "
                            + target.size() + " replicas, fewer than min.insync.replicas (" + least
                            + "), so that producers with acks=all would be refused. Lower min.insync.replicas of the topic first.");
        }
    }

    static PartitionState started(ClusterConfigs configs, String topic, PartitionState state, List<Integer> target) {
        Topics.checkAssignment(configs.view(), configs.engineOf(topic), target, state.replicas());
        List<Integer> before = before(state);
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
        NextState next = new NextState(state, configs.minInSync(topic)).moving(together, adding, leaving);
        return settled(configs, next, state).done();
    }

    /** Removes the old replicas if all replicas of the target are in sync. */
    static NextState settled(ClusterConfigs configs, NextState next, PartitionState before) {
        List<Integer> target = next.target();
        boolean isMove = !target.equals(next.replicas()) || next.isAdding();
        boolean isLed = !before.hasLeader()
                || target.contains(before.leader())
                || target.stream().anyMatch(id -> Leaders.mayLead(configs.view(), id));
        return isMove && isLed && next.isr().containsAll(target) ? reducedTo(configs, next, before, target) : next;
    }

    private static PartitionState cancelled(ClusterConfigs configs, TopicPartition partition, PartitionState state) {
        if (!state.isBeingReassigned()) {
            throw ErrorCode.NO_REASSIGNMENT_IN_PROGRESS.because("No partition reassignment is in progress.");
        }
        List<Integer> before = before(state);
        boolean isLed = before.contains(state.leader())
                || state.isr().stream()
                        .anyMatch(id ->
                                before.contains(id) && (!state.hasLeader() || Leaders.mayLead(configs.view(), id)));
        if (!isLed) {
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because("The reassignment of " + partition
                    + " cannot be cancelled: none of the replicas it had before is in sync and can lead.");
        }
        checkInSync(configs, partition, state, before);
        NextState next = new NextState(state, configs.minInSync(partition.topic()));
        return reducedTo(configs, next, state, before).newTerm().done();
    }

    /** A partition that has enough replicas in sync must not have too few because its reassignment is cancelled. */
    private static void checkInSync(
            ClusterConfigs configs, TopicPartition partition, PartitionState state, List<Integer> before) {
        int least = Math.min(configs.minInSync(partition.topic()), before.size());
        List<Integer> left =
                before.stream().filter(id -> state.isr().contains(id)).toList();
        if (left.size() < least && state.isr().size() >= least) {
            List<Integer> behind =
                    before.stream().filter(id -> !left.contains(id)).toList();
            throw ErrorCode.INVALID_REPLICA_ASSIGNMENT.because("The reassignment of " + partition
                    + " cannot be cancelled: of the replicas it had before only " + left
                    + " are in sync, fewer than min.insync.replicas (" + least + "). The brokers " + behind
                    + " have to be in sync first.");
        }
    }

    /** The replicas before the reassignment began. */
    private static List<Integer> before(PartitionState state) {
        return state.replicas().stream()
                .filter(id -> !state.adding().contains(id))
                .toList();
    }

    private static NextState reducedTo(
            ClusterConfigs configs, NextState next, PartitionState before, List<Integer> replicas) {
        next.replicas(replicas);
        boolean leads = !before.hasLeader() || next.isr().contains(before.leader());
        return leads ? next : next.ledBy(next.firstInSync(id -> Leaders.mayLead(configs.view(), id)));
    }
}
