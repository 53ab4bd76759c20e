package io.felice.testkit;

import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a store tells a candidate. From any thread. */
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

    /** The term now; null while somebody else is controller. */
    public synchronized Term term() {
        return term;
    }

    /** The epochs of all terms so far. */
    public synchronized List<Integer> epochs() {
        return List.copyOf(epochs);
    }

    public synchronized int depositions() {
        return depositions;
    }

    /** Every set of brokers it was told. */
    public synchronized List<List<LiveRegistration>> allBrokers() {
        return List.copyOf(brokers);
    }

    /** What it was told is gone, each time. */
    public synchronized List<String> damages() {
        return List.copyOf(damages);
    }

    /** The ids it was told last; empty before that. */
    public synchronized List<Integer> brokerIds() {
        return brokers.isEmpty()
                ? List.of()
                : brokers.get(brokers.size() - 1).stream()
                        .map(live -> live.broker().brokerId())
                        .toList();
    }
}
