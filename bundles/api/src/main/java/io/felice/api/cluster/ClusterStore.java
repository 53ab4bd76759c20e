package io.felice.api.cluster;

import io.felice.api.Subscription;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Keeps the metadata log, which has one writer at a time, the registrations of the live brokers, and the election of
 * the controller.
 *
 * <p>Threads: any thread may call the methods; they do not block. The store makes its callbacks on its own event
 * thread, one at a time and in order per follower, listener or candidate. A callback must not block and must not wait
 * for a stage of this store.
 *
 * <p>A lost connection to the servers of the store is a state and not an error. Callbacks pause; stages stay open until
 * the connection is back, or fail with COORDINATOR_NOT_AVAILABLE, NOT_CONTROLLER or REQUEST_TIMED_OUT.
 */
@ConsumerType
public interface ClusterStore {
    /**
     * Replays the log to a follower until the subscription is closed: first one {@link Follower#reset} with a snapshot
     * (version 0 and no records for a new cluster), then each later change exactly once and in order. If the next
     * change of a slow follower was deleted after a snapshot, the follower is reset again.
     */
    Subscription follow(Follower follower);

    /**
     * Registers a broker as alive until the subscription is closed. The registration ends with the session of this
     * store; the store registers the broker again in each new session. If another live broker has the same id and
     * another incarnation, the broker is not registered and the listener is told. A registration of the same incarnation
     * replaces the one before, and no candidate sees the cluster without the broker; the caller closes the older
     * subscription then.
     */
    Subscription register(BrokerRegistration broker, RegistrationListener listener);

    /**
     * Takes part in the elections of the controller until the subscription is closed. An elected candidate then
     * resigns.
     */
    Subscription campaign(Candidate candidate);

    /**
     * True if the store answers. While it does not, the metadata cannot be changed, and operators see this as a
     * trouble.
     */
    boolean isConnected();

    /**
     * After so much silence of this store the cluster counts its broker as dead. {@link #isConnected} must be false before two
     * thirds of this time have passed without an answer.
     */
    default Duration sessionTimeout() {
        return Duration.ofSeconds(18);
    }

    /**
     * The id of the broker that is controller, as far as this store knows; empty if there is no controller or it has
     * not registered a broker in its session.
     */
    Optional<Integer> controllerId();

    /** Since when that broker is the controller, by a clock of the store; empty if it is not known. */
    default Optional<Instant> controllerSince() {
        return Optional.empty();
    }

    /**
     * True if a candidate of another session is the controller, as far as this store knows. Then no candidate of this
     * store can write to the log.
     */
    boolean isControllerElsewhere();

    /** A reader of the metadata log. */
    @ProviderType
    interface Follower {
        /**
         * Replaces the follower's state.
         *
         * @param snapshot records that replay into the whole state at {@code version}
         */
        void reset(long version, List<MetadataRecord> snapshot);

        /**
         * Passes the next change. Its records become visible together.
         *
         * @param version one more than the version of the last call
         */
        void changed(long version, List<MetadataRecord> records);
    }

    /** Receives the results of a registration. */
    @ProviderType
    interface RegistrationListener {
        /** The broker is registered with this broker epoch. Called again for each new session. */
        void registered(long brokerEpoch);

        /**
         * The broker is not registered, because another live broker has its id.
         *
         * @param reason a sentence for the operator
         */
        void refused(String reason);
    }

    /** A candidate for the role of the controller. */
    @ProviderType
    interface Candidate {
        /**
         * The candidate is the controller. It must read the log up to {@link Term#logLength} before it decides
         * anything.
         */
        void elected(Term term);

        /**
         * The term is over, and the candidate must not use it any more. The candidate takes part in the next election.
         */
        void deposed();

        /**
         * A part of the log or of a snapshot is missing from the store, so a new follower cannot read the whole state.
         * The existing followers still have the whole state, so the candidate should take a snapshot, which replaces
         * the missing part. Called only during the term, repeatedly until nothing is missing. The default does nothing,
         * for a candidate that takes no snapshots.
         *
         * @param what a sentence that says what is missing
         */
        default void damaged(String what) {}

        /**
         * Passes all live brokers: once after {@link #elected}, and after each change during the term. A broker whose process
         * has certainly ended is left out. Its registration is deleted at the latest with the change that has its {@link
         * MetadataRecord.BrokerGone}.
         */
        void brokers(List<LiveRegistration> live);
    }

    /** The registration of a live broker, with its broker epoch. */
    record LiveRegistration(BrokerRegistration broker, long epoch) {}

    /** The right to write to the metadata log, from an election until another candidate is elected. */
    @ConsumerType
    interface Term {
        /** The controller epoch. It grows with every election. */
        int epoch();

        /** The version of the last change in the log when this term began. */
        long logLength();

        /**
         * Appends one change. A follower sees all its records together or none, whatever their size. The changes of a
         * term are in the log in the order of the calls. The store may write several changes in one step.
         *
         * @return the version of the change, when the change is certainly in the log; fails with NOT_CONTROLLER if the
         *     term is over and the change is certainly not in the log
         */
        CompletionStage<Long> append(List<MetadataRecord> records);

        /**
         * Stores a snapshot and then deletes changes that the snapshot makes unnecessary. Works in the background.
         *
         * @param state records that replay into the whole state at {@code version}
         * @return completes when the snapshot is stored; fails with NOT_CONTROLLER if the term is over
         */
        CompletionStage<Void> snapshot(long version, List<MetadataRecord> state);
    }
}
