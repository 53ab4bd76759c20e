package io.felice.itests.simulation;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.itests.simulation.Timeline.Life;
import io.felice.testkit.MemoryClusterStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The session of one run of a broker with the store. A paused or dead broker hears nothing. Several changes of the live
 * brokers may come as one, as the watches of a real store do.
 */
final class SimulatedSession implements ClusterStore {
    private final MemoryClusterStore session;
    private final Timeline timeline;
    private final Life life;
    private final Seams seams;
    private final Supplier<ClusterView> truth;

    /**
     * @param truth the view of all that is in the log
     */
    SimulatedSession(
            MemoryClusterStore session, Timeline timeline, Life life, Seams seams, Supplier<ClusterView> truth) {
        this.session = session;
        this.timeline = timeline;
        this.life = life;
        this.seams = seams;
        this.truth = truth;
    }

    MemoryClusterStore session() {
        return session;
    }

    @Override
    public Subscription follow(Follower follower) {
        return session.follow(follower);
    }

    @Override
    public Subscription register(BrokerRegistration broker, RegistrationListener listener) {
        return session.register(seams.registered(broker), listener);
    }

    @Override
    public Subscription campaign(Candidate candidate) {
        return session.campaign(new Campaigning(candidate));
    }

    @Override
    public boolean isConnected() {
        return session.isConnected();
    }

    @Override
    public Optional<Integer> controllerId() {
        return session.controllerId();
    }

    @Override
    public boolean isControllerElsewhere() {
        return session.isControllerElsewhere();
    }

    private final class Campaigning implements Candidate {
        private final Candidate candidate;
        private List<LiveRegistration> newest;

        Campaigning(Candidate candidate) {
            this.candidate = candidate;
        }

        @Override
        public void elected(Term term) {
            candidate.elected(new SeamedTerm(seams.term(term)));
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
            boolean isArranged = newest != null;
            newest = live;
            if (!isArranged) {
                timeline.after(life, Timeline.MS, () -> {
                    List<LiveRegistration> last = newest;
                    newest = null;
                    candidate.brokers(last);
                });
            }
        }
    }

    private final class SeamedTerm implements Term {
        private final Term term;
        private ClusterView planned;

        SeamedTerm(Term term) {
            this.term = term;
        }

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
            if (planned == null || planned.version() < truth.get().version()) {
                planned = truth.get();
            }
            List<MetadataRecord> changed = seams.decided(planned, records);
            planned = planned.after(planned.version() + 1, changed);
            CompletableFuture<Long> done = new CompletableFuture<>();
            term.append(changed)
                    .whenComplete((version, failure) -> timeline.after(life, Timeline.MS, () -> {
                        if (failure == null) {
                            done.complete(version);
                        } else {
                            done.completeExceptionally(failure);
                        }
                    }));
            return done;
        }

        @Override
        public CompletionStage<Void> snapshot(long version, List<MetadataRecord> state) {
            return term.snapshot(version, state);
        }
    }
}
