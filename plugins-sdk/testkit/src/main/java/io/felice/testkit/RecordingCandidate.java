package io.felice.testkit;

import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import java.util.ArrayList;
import java.util.List;

/** Keeps every event that a store sends to a candidate. Thread-safe. */
public final class RecordingCandidate implements ClusterStore.Candidate {
    private final List<Integer> epochs = new ArrayList<>();
    private final List<List<LiveRegistration>> brokers = new ArrayList<>();
    private final List<String> damages = new ArrayList<>();
    private Term term;
    private int depositions;

    @Override
    public synchronized void elected(Term elected) {
        term = elected;
        epochs.add(elected.epoch());
    }

    @Override
    public synchronized void deposed() {
        term = null;
        depositions++;
    }

    @Override
    public synchronized void damaged(String what) {
        damages.add(what);
    }

    @Override
    public synchronized void brokers(List<LiveRegistration> live) {
        brokers.add(List.copyOf(live));
    }

    /** The current term; null while it is not elected. */
    public synchronized Term term() {
        return term;
    }

    /** The controller epochs of all its terms so far. */
    public synchronized List<Integer> epochs() {
        return List.copyOf(epochs);
    }

    public synchronized int depositions() {
        return depositions;
    }

    /** Every list of live brokers that it received, in order. */
    public synchronized List<List<LiveRegistration>> allBrokers() {
        return List.copyOf(brokers);
    }

    /** Every report of damage that it received, in order. */
    public synchronized List<String> damages() {
        return List.copyOf(damages);
    }

    /** The broker ids of the last list of live brokers; empty if it has received none. */
    public synchronized List<Integer> brokerIds() {
        return brokers.isEmpty()
                ? List.of()
                : brokers.get(brokers.size() - 1).stream()
                        .map(live -> live.broker().brokerId())
                        .toList();
    }
}
