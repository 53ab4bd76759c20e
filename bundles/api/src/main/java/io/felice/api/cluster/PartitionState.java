package io.felice.api.cluster;

import java.util.List;

/**
 * What the cluster has decided about one partition.
 *
 * @param replicas broker ids, the preferred leader first
 * @param isr in-sync replicas, a subset of {@code replicas}; never empty
 * @param adding replicas being added by a reassignment
 * @param removing replicas being removed by a reassignment
 * @param leader a broker id, or {@link #NO_LEADER}
 * @param leaderEpoch grows by one at every leader change
 * @param partitionEpoch grows by one at every change of this state
 * @param recovering true if the leader was elected uncleanly and has not repaired its state yet (KIP-704)
 */
public record PartitionState(
        List<Integer> replicas,
        List<Integer> isr,
        List<Integer> adding,
        List<Integer> removing,
        int leader,
        int leaderEpoch,
        int partitionEpoch,
        boolean recovering) {
    public static final int NO_LEADER = -1;

    public PartitionState {
        replicas = List.copyOf(replicas);
        isr = List.copyOf(isr);
        adding = List.copyOf(adding);
        removing = List.copyOf(removing);
        if (replicas.isEmpty() || isr.isEmpty()) {
            throw new IllegalArgumentException("replicas " + replicas + " and isr " + isr + " must not be empty");
        }
    }

    /** A new partition, all of whose replicas are in sync and led by {@code leader}. */
    public static PartitionState created(List<Integer> replicas, List<Integer> isr, int leader) {
        return new PartitionState(replicas, isr, List.of(), List.of(), leader, 0, 0, false);
    }

    /** The same partition under another leader (or none): both epochs grow. */
    public PartitionState ledBy(int newLeader, List<Integer> newIsr) {
        return new PartitionState(
                replicas, newIsr, adding, removing, newLeader, leaderEpoch + 1, partitionEpoch + 1, false);
    }

    public boolean hasLeader() {
        return leader != NO_LEADER;
    }
}
