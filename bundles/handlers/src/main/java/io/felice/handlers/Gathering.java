package io.felice.handlers;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A future answer that is filled item by item. It completes when {@link #begun} was called and the stage of every item
 * has completed. One thread begins all items and then calls {@link #begun}. Stages may complete on any thread.
 */
final class Gathering<R> extends CompletableFuture<R> {
    private final AtomicInteger open = new AtomicInteger(1);
    private final R answer;
    private final UnaryOperator<R> finish;

    Gathering(R answer) {
        this(answer, UnaryOperator.identity());
    }

    /** @param finish turns the filled answer into the final answer; if it throws, this future fails */
    Gathering(R answer, UnaryOperator<R> finish) {
        this.answer = answer;
        this.finish = finish;
    }

    /** Begins one item. If {@code begin} throws, the item is filled with that failure, as if its stage had failed. */
    <T> void item(Supplier<CompletionStage<T>> begin, BiConsumer<T, Throwable> fill) {
        CompletionStage<T> stage;
        try {
            stage = begin.get();
        } catch (RuntimeException refused) {
            fill.accept(null, refused);
            return;
        }
        open.incrementAndGet();
        stage.whenComplete((value, failure) -> filled(value, failure, fill));
    }

    private <T> void filled(T value, Throwable failure, BiConsumer<T, Throwable> fill) {
        try {
            fill.accept(value, failure);
        } catch (RuntimeException broken) {
            completeExceptionally(broken);
        }
        done();
    }

    /** Call once, after the last item was begun. */
    Gathering<R> begun() {
        done();
        return this;
    }

    private void done() {
        if (open.decrementAndGet() > 0) {
            return;
        }
        try {
            complete(finish.apply(answer));
        } catch (RuntimeException refused) {
            completeExceptionally(refused);
        }
    }
}
