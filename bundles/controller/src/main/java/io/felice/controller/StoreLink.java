package io.felice.controller;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * The bound cluster store, or none. Passes the store's callbacks to the controller's thread, and drops late callbacks
 * of a store that was unbound. Used on that thread only, except what says something about the controller.
 */
final class StoreLink {
    /** The store's callbacks, on the controller's thread. */
    interface Listener {
        void reset(long version, List<MetadataRecord> snapshot);

        void changed(long version, List<MetadataRecord> records);

        void elected(Term term);

        void deposed();

        void damaged(String what);

        void brokers(List<LiveRegistration> live);
    }

    private final Executor thread;
    private final Listener listener;
    private final List<Subscription> subscriptions = new ArrayList<>();
    private volatile ClusterStore store;

    StoreLink(Executor thread, Listener listener) {
        this.thread = thread;
        this.listener = listener;
    }

    void bind(ClusterStore arrived) {
        unbind(store);
        store = arrived;
        subscriptions.add(arrived.follow(new Follower(arrived)));
        subscriptions.add(arrived.campaign(new Candidate(arrived)));
    }

    void unbind(ClusterStore left) {
        if (left == null || store != left) {
            return;
        }
        store = null;
        subscriptions.forEach(Subscription::close);
        subscriptions.clear();
        listener.deposed();
    }

    void close() {
        unbind(store);
    }

    boolean isConnected() {
        ClusterStore here = store;
        return here != null && here.isConnected();
    }

    boolean isControllerElsewhere() {
        ClusterStore here = store;
        return here != null && here.isControllerElsewhere();
    }

    Optional<Integer> controllerId() {
        ClusterStore here = store;
        return here == null ? Optional.empty() : here.controllerId();
    }

    Optional<Instant> controllerSince() {
        ClusterStore here = store;
        return here == null ? Optional.empty() : here.controllerSince();
    }

    private void deliver(ClusterStore from, Runnable event) {
        thread.execute(() -> {
            if (store == from) {
                event.run();
            }
        });
    }

    private final class Follower implements ClusterStore.Follower {
        private final ClusterStore from;

        Follower(ClusterStore from) {
            this.from = from;
        }

        @Override
        public void reset(long version, List<MetadataRecord> snapshot) {
            deliver(from, () -> listener.reset(version, snapshot));
        }

        @Override
        public void changed(long version, List<MetadataRecord> records) {
            deliver(from, () -> listener.changed(version, records));
        }
    }

    private final class Candidate implements ClusterStore.Candidate {
        private final ClusterStore from;

        Candidate(ClusterStore from) {
            this.from = from;
        }

        @Override
        public void elected(Term term) {
            deliver(from, () -> listener.elected(term));
        }

        @Override
        public void deposed() {
            deliver(from, listener::deposed);
        }

        @Override
        public void damaged(String what) {
            deliver(from, () -> listener.damaged(what));
        }

        @Override
        public void brokers(List<LiveRegistration> live) {
            deliver(from, () -> listener.brokers(live));
        }
    }
}
