package io.felice.controller;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterView;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** One request to the controller, until it is answered. It is decided again in a later term if the first decision is
 * certainly not in the log.
 */
final class AdminRequest<K, V> {
    private final Function<ClusterView, Decision<K, V>> decide;
    private final CompletableFuture<Decided<K, V>> answer = new CompletableFuture<>();
    private volatile Decision<K, V> decision;
    private boolean beingWritten;

    AdminRequest(Function<ClusterView, Decision<K, V>> decide) {
        this.decide = decide;
    }

    CompletableFuture<Decided<K, V>> answer() {
        return answer;
    }

    boolean isAnswered() {
        return answer.isDone();
    }

    /** True while the decision is on its way into the log. */
    boolean isBeingWritten() {
        return beingWritten;
    }

    void isBeingWritten(boolean now) {
        beingWritten = now;
    }

    Decision<K, V> decide(ClusterView view) {
        decision = decide.apply(view);
        return decision;
    }

    void answer(long version) {
        answer.complete(new Decided<>(version, decision.outcomes()));
    }

    void fail(FeliceException failure) {
        answer.completeExceptionally(failure);
    }

    void fail(Throwable failure) {
        answer.completeExceptionally(FeliceException.unwrap(failure));
    }
}
