package io.felice.controller;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterView;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A request that the controller has not answered yet. If its change is certainly not in the metadata log when a term
 * ends, the next term decides the request again.
 */
final class AdminRequest<K, V> {
    private final Function<ClusterView, ControllerResult<K, V>> decide;
    private final CompletableFuture<Decided<K, V>> answer = new CompletableFuture<>();
    private volatile ControllerResult<K, V> result;
    private boolean beingWritten;

    AdminRequest(Function<ClusterView, ControllerResult<K, V>> decide) {
        this.decide = decide;
    }

    CompletableFuture<Decided<K, V>> answer() {
        return answer;
    }

    boolean isAnswered() {
        return answer.isDone();
    }

    /** True while the change is being appended to the metadata log. */
    boolean isBeingWritten() {
        return beingWritten;
    }

    void isBeingWritten(boolean now) {
        beingWritten = now;
    }

    ControllerResult<K, V> decide(ClusterView view) {
        result = decide.apply(view);
        return result;
    }

    void answer(long version) {
        answer.complete(new Decided<>(version, result.outcomes()));
    }

    void fail(FeliceException failure) {
        answer.completeExceptionally(failure);
    }

    void fail(Throwable failure) {
        answer.completeExceptionally(FeliceException.unwrap(failure));
    }
}
