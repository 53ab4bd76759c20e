package io.felice.api.cluster;

import io.felice.api.Subscription;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Keeps the cluster's truth: one metadata log with one writer at a time, who is registered, and who is controller.
 *
 * <p>No method blocks. Callbacks come on the store's own event thread, one at a time and in order per follower or
 * candidate; they must not block and must not wait for a stage of this store. Losing the connection to the ensemble is a
 * state and not an error: callbacks pause, stages stay open until it is back or fail with COORDINATOR_NOT_AVAILABLE,
 * NOT_CONTROLLER or REQUEST_TIMED_OUT as said below.
 */
@ConsumerType
public interface ClusterStore {
    /**
     * Replays the log: first one {@link Follower#reset} with a snapshot (empty at version 0 for a new cluster), then
     * every later change in order, without gap or double, until closed. A follower that fell behind the oldest kept
     * change is reset again.
     */
    Subscription follow(Follower follower);

    /**
     * Makes this broker known for as long as its session lasts, and again after each new session, until closed. Another
     * live broker with the same id that is not this incarnation is a failure the listener gets to know.
     */
    Subscription register(BrokerRegistration broker, RegistrationListener listener);

    /** Competes for the role of controller until closed; closing while elected resigns. */
    Subscription campaign(Candidate candidate);

    /** True while the store answers; false is shown to operators and stops what needs a decision. */
    boolean isConnected();

    /**
     * The broker registered in the session that is controller now, as last heard here; empty while there is none or it
     * has not registered.
     */
    Optional<Integer> controllerId();

    /** True if a candidate of another session is controller, as last heard here: nothing can be decided through this store. */
    boolean isControllerElsewhere();

    /** Who replays the log. */
    @ProviderType
    interface Follower {
        /** Forget everything: this is the whole state at {@code version}. */
        void reset(long version, List<MetadataRecord> snapshot);

        /** One change, atomic: {@code version} is one more than the last. */
        void changed(long version, List<MetadataRecord> records);
    }

    /** Who has registered a broker. */
    @ProviderType
    interface RegistrationListener {
        /** Registered under this broker epoch; called again for each new session. */
        void registered(long brokerEpoch);

        /** Somebody else is alive under this id: {@code reason} is a sentence for the operator. */
        void refused(String reason);
    }

    /** Who wants to be controller. */
    @ProviderType
    interface Candidate {
        /** Elected. The candidate replays to {@link Term#logLength} before it decides anything. */
        void elected(Term term);

        /** The term is over, whatever the reason; nothing of it may be used any more. A new campaign goes on by itself. */
        void deposed();

        /**
         * Something is gone from the store that a follower needs which begins anew; {@code what} is a sentence. The
         * followers so far know the whole state, so a snapshot replaces what is gone. Told during the term only, again
         * and again until the store is whole. A candidate that takes no snapshots does nothing.
         */
        default void damaged(String what) {}

        /** The set of registered brokers, given after {@link #elected} and at every change of it during the term. */
        void brokers(List<LiveRegistration> live);
    }

    /** A registration that lives, with the broker epoch the store gave it. */
    record LiveRegistration(BrokerRegistration broker, long epoch) {}

    /** The right to write, for as long as nobody else was elected. */
    @ConsumerType
    interface Term {
        /** Grows with every election. */
        int epoch();

        /** How long the log was when this term began. */
        long logLength();

        /**
         * Appends one change; it becomes visible to every follower at once or not at all, whatever its size. Changes of
         * one term keep their order; the store may write several in one step.
         *
         * @return completes with the change's version once it is certain; fails with NOT_CONTROLLER if the term is over
         *     and the change is certainly not in the log
         */
        CompletionStage<Long> append(List<MetadataRecord> records);

        /** Keeps {@code state} as the snapshot of {@code version} and lets go of older changes; in the background. */
        CompletionStage<Void> snapshot(long version, List<MetadataRecord> state);
    }
}
