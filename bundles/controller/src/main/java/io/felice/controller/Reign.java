package io.felice.controller;

import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * One term as controller. Decisions are based on the planned view: the view after all changes that were appended so
 * far, even if they are not in the log yet. Only used on the controller's thread.
 */
final class Reign {
    private final Term term;
    private ClusterView planned;
    private List<LiveRegistration> registered;
    private CompletionStage<Long> last;

    Reign(Term term) {
        this.term = term;
    }

    Term term() {
        return term;
    }

    boolean isActive() {
        return planned != null;
    }

    /** True when the log is replayed up to its length at the election, and the live brokers are known. */
    boolean mayBegin(ClusterView view) {
        return planned == null && registered != null && view.version() >= term.logLength();
    }

    void begin(ClusterView view) {
        planned = view;
    }

    ClusterView planned() {
        return planned;
    }

    void registered(List<LiveRegistration> live) {
        registered = live;
    }

    /** The live brokers; null until the store has named them. */
    List<LiveRegistration> registered() {
        return registered;
    }

    /** Appends one change to the log, and to the planned view at once. */
    CompletionStage<Long> append(List<MetadataRecord> records) {
        planned = planned.after(planned.version() + 1, records);
        last = term.append(records);
        return last;
    }

    /** Completes with the version of the last change when that is in the log. */
    CompletionStage<Long> written() {
        return last;
    }
}
