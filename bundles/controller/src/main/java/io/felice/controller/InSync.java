package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import java.util.Map;
import java.util.Set;

/** Decides about the in-sync replicas that leaders propose (KIP-497). Stateless. */
final class InSync {
    private static final long UNKNOWN_EPOCH = -1;

    private InSync() {}

    static ControllerResult<PartitionId, PartitionState> alter(
            ClusterConfigs configs, int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
        ControllerResult.Draft<PartitionId, PartitionState> draft = new ControllerResult.Draft<>();
        changes.forEach((partition, change) -> draft.item(partition, records -> {
            Leaders.known(configs.view(), brokerId, brokerEpoch);
            TopicView topic = configs.view()
                    .topic(partition.topicId())
                    .orElseThrow(() -> ErrorCode.UNKNOWN_TOPIC_ID.because(
                            "There is no topic with the id " + partition.topicId() + "."));
            PartitionState state = topic.partition(partition.partition())
                    .orElseThrow(() -> ErrorCode.UNKNOWN_TOPIC_ID.because(
                            "The topic '" + topic.name() + "' has no partition " + partition.partition() + "."));
            PartitionState next = after(configs, topic, brokerId, state, change);
            if (!next.equals(state)) {
                records.add(new MetadataRecord.PartitionChanged(partition.topicId(), partition.partition(), next));
            }
            return next;
        }));
        return draft.done();
    }

    private static PartitionState after(
            ClusterConfigs configs, TopicView topic, int brokerId, PartitionState state, InSyncChange change) {
        checkLeader(brokerId, state, change);
        if (isMadeAlready(state, change)) {
            return state;
        }
        if (change.partitionEpoch() < state.partitionEpoch()) {
            throw ErrorCode.INVALID_UPDATE_VERSION.because("The partition is in partition epoch "
                    + state.partitionEpoch() + "; the change is for " + change.partitionEpoch() + ".");
        }
        if (change.isr().isEmpty()) {
            return Leaders.withoutLog(configs, topic.name(), brokerId, state);
        }
        checkProposal(brokerId, state, change);
        change.isr().forEach((id, epoch) -> checkEligible(configs.view(), state, id, epoch));
        NextState next = new NextState(state, configs.minInSync(topic.name()))
                .isr(change.isr().keySet())
                .recovering(change.recovering());
        return Reassignments.settled(configs, next, state).done();
    }

    /** A leader of a later epoch knows of a later controller than this one. */
    private static void checkLeader(int brokerId, PartitionState state, InSyncChange change) {
        if (change.leaderEpoch() > state.leaderEpoch() || change.partitionEpoch() > state.partitionEpoch()) {
            throw ErrorCode.NOT_CONTROLLER.because(
                    "The leader has a newer state of the partition than this controller.");
        }
        if (change.leaderEpoch() < state.leaderEpoch()) {
            throw ErrorCode.FENCED_LEADER_EPOCH.because("The partition is in leader epoch " + state.leaderEpoch()
                    + "; the change is for " + change.leaderEpoch() + ".");
        }
        if (state.leader() != brokerId) {
            throw ErrorCode.NOT_LEADER_OR_FOLLOWER.because("Broker " + brokerId + " does not lead the partition.");
        }
    }

    private static boolean isMadeAlready(PartitionState state, InSyncChange change) {
        return Set.copyOf(state.isr()).equals(change.isr().keySet()) && state.recovering() == change.recovering();
    }

    private static void checkProposal(int brokerId, PartitionState state, InSyncChange change) {
        Set<Integer> proposed = change.isr().keySet();
        if (!proposed.contains(brokerId)) {
            throw ErrorCode.INVALID_REQUEST.because("The leader " + brokerId + " is not among the replicas in sync.");
        }
        if (!state.replicas().containsAll(proposed)) {
            throw ErrorCode.INVALID_REQUEST.because("The brokers " + proposed
                    + " are not all replicas of the partition, " + "which are " + state.replicas() + ".");
        }
        if (change.recovering() && !state.recovering()) {
            throw ErrorCode.INVALID_REQUEST.because("The partition is not recovering from an unclean election.");
        }
        if (change.recovering() && proposed.size() > 1) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "No replica may join while the leader recovers from an unclean election.");
        }
    }

    private static void checkEligible(ClusterView view, PartitionState state, int id, long epoch) {
        LiveBroker broker = view.broker(id)
                .filter(live -> !live.leaving() || state.isr().contains(id))
                .orElseThrow(() -> ineligible(id, "is not alive or about to stop"));
        boolean isKnown =
                epoch == broker.epoch() || epoch == UNKNOWN_EPOCH && state.isr().contains(id);
        if (!isKnown) {
            throw ineligible(id, "is in broker epoch " + broker.epoch() + " and not in " + epoch);
        }
    }

    private static RuntimeException ineligible(int id, String why) {
        return ErrorCode.INELIGIBLE_REPLICA.because("Broker " + id + " cannot be in sync: it " + why + ".");
    }
}
