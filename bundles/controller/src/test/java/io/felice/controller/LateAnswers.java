package io.felice.controller;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store that completes its answers to appends only when the gate is open. */
record LateAnswers(ClusterStore store, CompletableFuture<Void> gate) implements ClusterStore {

    @Override
    public Subscription follow(Follower follower) {
        return store.follow(follower);
    }

    @Override
    public Subscription register(BrokerRegistration broker, RegistrationListener listener) {
        return store.register(broker, listener);
    }

    @Override
    public Subscription campaign(Candidate candidate) {
        return store.campaign(new Candidate() {
            @Override
            public void elected(Term term) {
                candidate.elected(new LateTerm(term, gate));
            }

            @Override
            public void deposed() {
                candidate.deposed();
            }

            @Override
            public void damaged(String what) {
                candidate.damaged(what);
            }

            @Override
            public void brokers(List<LiveRegistration> live) {
                candidate.brokers(live);
            }
        });
    }

    @Override
    public boolean isConnected() {
        return store.isConnected();
    }

    @Override
    public Optional<Integer> controllerId() {
        return store.controllerId();
    }

    @Override
    public boolean isControllerElsewhere() {
        return store.isControllerElsewhere();
    }

    private record LateTerm(Term term, CompletableFuture<Void> gate) implements Term {
        @Override
        public int epoch() {
            return term.epoch();
        }

        @Override
        public long logLength() {
            return term.logLength();
        }

        @Override
        public CompletionStage<Long> append(List<MetadataRecord> records) {
            return term.append(records).thenCombine(gate, (version, open) -> version);
        }

        @Override
        public CompletionStage<Void> snapshot(long version, List<MetadataRecord> state) {
            return term.snapshot(version, state);
        }
    }
}
