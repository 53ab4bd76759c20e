package io.felice.controller;

import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** One term as controller. Decisions are based on the planned view: the one that is reached once all changes appended so far
 * are in the log. Only used on the controller's thread.
 */
final class Reign {
    private final Term term;
    private ClusterView planned;
    private List<LiveRegistration> registered;

    Reign(Term term) {
        this.term = term;
    }

    Term term() {
        return term;
    }

    /** True once it has begun to decide. */
    boolean isActive() {
        return planned != null;
    }

    /** True if the log is replayed up to where this term began, and it is known who is registered. */
    boolean mayBegin(ClusterView view) {
        return planned == null && registered != null && view.version() >= term.logLength();
    }

    void begin(ClusterView view) {
        planned = view;
    }

    /** The view once all changes appended so far are in the log. */
    ClusterView planned() {
        return planned;
    }

    void registered(List<LiveRegistration> live) {
        registered = live;
    }

    /** The live registrations; null until the store has told them. */
    List<LiveRegistration> registered() {
        return registered;
    }

    /** Appends one change and plans with it from now on. */
    CompletionStage<Long> append(List<MetadataRecord> records) {
        planned = planned.after(planned.version() + 1, records);
        return term.append(records);
    }
}
