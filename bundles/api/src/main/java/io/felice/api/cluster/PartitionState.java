package io.felice.api.cluster;

import java.util.List;

/**
 * The replicas, leader and epochs of one partition, as the controller has decided them.
 *
 * @param replicas broker ids, the preferred leader first
 * @param isr the in-sync replicas, a subset of {@code replicas}; never empty
 * @param eligible the replicas that are not in sync and yet have every committed record, so that one of them may be
 *     elected if no in-sync replica can lead (KIP-966). Empty unless there are fewer in-sync replicas than {@code
 *     min.insync.replicas}; while there are, the high watermark does not move
 * @param adding the replicas that a reassignment adds (KIP-455)
 * @param removing the replicas that a reassignment removes
 * @param leader a broker id, or {@link #NO_LEADER}
 * @param leaderEpoch grows by one at every change of the leader
 * @param partitionEpoch grows by one at every change of this state
 * @param recovering true after an unclean election until the leader has repaired its state (KIP-704)
 */
public record PartitionState(
        List<Integer> replicas,
        List<Integer> isr,
        List<Integer> eligible,
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
        eligible = List.copyOf(eligible);
        adding = List.copyOf(adding);
        removing = List.copyOf(removing);
        if (replicas.isEmpty() || isr.isEmpty()) {
            throw new IllegalArgumentException("replicas " + replicas + " and isr " + isr + " must not be empty");
        }
    }

    /** A state in which no replica is eligible that is not in sync. */
    public PartitionState(
            List<Integer> replicas,
            List<Integer> isr,
            List<Integer> adding,
            List<Integer> removing,
            int leader,
            int leaderEpoch,
            int partitionEpoch,
            boolean recovering) {
        this(replicas, isr, List.of(), adding, removing, leader, leaderEpoch, partitionEpoch, recovering);
    }

    /** A new partition, in leader epoch 0. */
    public static PartitionState created(List<Integer> replicas, List<Integer> isr, int leader) {
        return new PartitionState(replicas, isr, List.of(), List.of(), leader, 0, 0, false);
    }

    /** The same partition with another leader or {@link #NO_LEADER}. Both epochs grow by one. */
    public PartitionState ledBy(int newLeader, List<Integer> newIsr) {
        return new PartitionState(
                replicas, newIsr, adding, removing, newLeader, leaderEpoch + 1, partitionEpoch + 1, false);
    }

    public boolean hasLeader() {
        return leader != NO_LEADER;
    }

    /** True while a reassignment adds or removes replicas. */
    public boolean isBeingReassigned() {
        return !adding.isEmpty() || !removing.isEmpty();
    }
}
