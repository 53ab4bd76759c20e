package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;

/** Counts partitions by what is wrong with them, at one view. Each node has the numbers of the whole cluster. */
final class PartitionCounts {
    private static final TableSchema TABLE = TableSchema.of(
                    "controller.partitions", "The partitions of the cluster, as this node sees them")
            .gauge("partitions", "All partitions")
            .gauge("offline", "Partitions without a leader")
            .gauge("under.replicated", "Partitions with replicas that are not in sync, without those that are moved")
            .gauge("under.min.isr", "Partitions with fewer in-sync replicas than min.insync.replicas")
            .gauge("at.min.isr", "Partitions that the loss of one more replica would take below min.insync.replicas")
            .gauge("reassigning", "Partitions that are moved to other brokers")
            .gauge("not.preferred", "Partitions that are led by another replica than the preferred one")
            .gauge("recovering", "Partitions whose leader was elected uncleanly and repairs its state");

    private long partitions;
    private long offline;
    private long underReplicated;
    private long underMinIsr;
    private long atMinIsr;
    private long reassigning;
    private long notPreferred;
    private long recovering;

    private PartitionCounts() {}

    static StatusTable table(ClusterConfigs configs) {
        PartitionCounts counts = new PartitionCounts();
        ClusterView view = configs.view();
        for (TopicView topic : view.topics()) {
            int minInSync = configs.minInSync(topic.name());
            topic.partitions().values().forEach(state -> counts.add(state, minInSync));
        }
        return TABLE.row(
                counts.partitions,
                counts.offline,
                counts.underReplicated,
                counts.underMinIsr,
                counts.atMinIsr,
                counts.reassigning,
                counts.notPreferred,
                counts.recovering);
    }

    private void add(PartitionState state, int minInSync) {
        long wanted = state.replicas().stream()
                .filter(id -> !state.adding().contains(id))
                .count();
        partitions++;
        offline += state.hasLeader() ? 0 : 1;
        underReplicated += state.isr().size() < wanted ? 1 : 0;
        underMinIsr += state.isr().size() < minInSync ? 1 : 0;
        atMinIsr += state.isr().size() == minInSync && wanted > 1 ? 1 : 0;
        reassigning += state.isBeingReassigned() ? 1 : 0;
        notPreferred += state.hasLeader() && state.leader() != state.replicas().get(0) ? 1 : 0;
        recovering += state.recovering() ? 1 : 0;
    }
}
