package io.felice.controller;

import io.felice.api.cluster.PartitionState;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Builds the next state of a partition. The epochs follow from what has changed: the partition epoch grows with every
 * change, the leader epoch with every change of the leader, and when a replica is removed: a broker that was away while its
 * replica was removed and assigned again must not fetch with the log that it is going to delete. One thread.
 */
final class NextState {
    private final PartitionState from;
    private final int minInSync;
    private List<Integer> replicas;
    private List<Integer> isr;
    private List<Integer> eligible;
    private List<Integer> adding;
    private List<Integer> removing;
    private int leader;
    private boolean recovering;
    private boolean isNewTerm;

    /** @param minInSync the topic's {@code min.insync.replicas} */
    NextState(PartitionState from, int minInSync) {
        this.from = from;
        this.minInSync = minInSync;
        replicas = from.replicas();
        isr = from.isr();
        eligible = from.eligible();
        adding = from.adding();
        removing = from.removing();
        leader = from.leader();
        recovering = from.recovering();
    }

    /** The replicas after a reassignment. In-sync and eligible replicas that are not among them are dropped. */
    NextState replicas(List<Integer> to) {
        replicas = to;
        adding = List.of();
        removing = List.of();
        isr = isr.stream().filter(to::contains).toList();
        eligible = eligible.stream().filter(to::contains).toList();
        return this;
    }

    NextState moving(List<Integer> together, List<Integer> added, List<Integer> removed) {
        replicas = together;
        adding = added;
        removing = removed;
        return this;
    }

    /** The new in-sync replicas, of which there must be one. Those that leave have every committed record. */
    NextState isr(Collection<Integer> to) {
        List<Integer> before = isr;
        isr = replicas.stream().filter(to::contains).toList();
        eligible = replicas.stream()
                .filter(id -> before.contains(id) || eligible.contains(id))
                .filter(id -> !isr.contains(id))
                .toList();
        return this;
    }

    /**
     * Replicas whose records may be lost are not in sync and not eligible any more. If no in-sync replica is left, the
     * eligible ones take their place; if there are none either, the in-sync replicas stay.
     *
     * @return true if no replica is left that has every committed record
     */
    boolean lose(Predicate<Integer> isLost) {
        List<Integer> sound = isr.stream().filter(isLost.negate()).toList();
        List<Integer> soundEligible = eligible.stream().filter(isLost.negate()).toList();
        if (sound.isEmpty() && soundEligible.isEmpty()) {
            eligible = List.of();
            return true;
        }
        isr = sound.isEmpty() ? soundEligible : sound;
        eligible = sound.isEmpty() ? List.of() : soundEligible;
        return false;
    }

    /** A new leader epoch begins, even if the leader is the same. */
    NextState ledBy(int to) {
        leader = to;
        isNewTerm = true;
        return this;
    }

    /** The leader has not every committed record. It is the only replica in sync until it has repaired its state. */
    NextState uncleanlyLedBy(int to) {
        isr = List.of(to);
        eligible = List.of();
        recovering = true;
        return ledBy(to);
    }

    /** A new leader epoch of the same leader. */
    NextState newTerm() {
        isNewTerm = true;
        return this;
    }

    NextState leaderless() {
        leader = PartitionState.NO_LEADER;
        return this;
    }

    NextState recovering(boolean is) {
        recovering = is;
        return this;
    }

    /** The replicas without those that a reassignment removes. */
    List<Integer> target() {
        return replicas.stream().filter(id -> !removing.contains(id)).toList();
    }

    boolean isAdding() {
        return !adding.isEmpty();
    }

    List<Integer> replicas() {
        return replicas;
    }

    List<Integer> isr() {
        return isr;
    }

    List<Integer> eligible() {
        return eligible;
    }

    /** The first replica of the assignment that is in sync and {@code may} lead, or {@link PartitionState#NO_LEADER}. */
    int firstInSync(Predicate<Integer> may) {
        return first(replicas.stream().filter(isr::contains), may);
    }

    int firstEligible(Predicate<Integer> may) {
        return first(replicas.stream().filter(eligible::contains), may);
    }

    static int first(Stream<Integer> ids, Predicate<Integer> may) {
        return ids.filter(may).findFirst().orElse(PartitionState.NO_LEADER);
    }

    /** The former state if nothing has changed. */
    PartitionState done() {
        boolean enough = isr.size() >= Math.min(minInSync, replicas.size());
        boolean isRemoved = !replicas.containsAll(from.replicas());
        int leaderEpoch = from.leaderEpoch() + (isNewTerm || isRemoved || leader != from.leader() ? 1 : 0);
        PartitionState same = state(enough ? List.of() : eligible, leaderEpoch, from.partitionEpoch());
        return same.equals(from) ? from : state(same.eligible(), leaderEpoch, from.partitionEpoch() + 1);
    }

    private PartitionState state(List<Integer> eligibleNow, int leaderEpoch, int partitionEpoch) {
        return new PartitionState(
                replicas, isr, eligibleNow, adding, removing, leader, leaderEpoch, partitionEpoch, recovering);
    }
}
