package io.felice.handlers;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * An answer that is filled item by item as the items' stages complete, each of them once, and is done when the last one
 * is. Items are begun by one thread, which then calls {@link #begun}; they complete on any.
 */
final class Gathering<R> extends CompletableFuture<R> {
    private final AtomicInteger open = new AtomicInteger(1);
    private final R answer;
    private final UnaryOperator<R> finish;

    Gathering(R answer) {
        this(answer, UnaryOperator.identity());
    }

    /** @param finish makes the answer of the filled one; if it throws, the answer fails */
    Gathering(R answer, UnaryOperator<R> finish) {
        this.answer = answer;
        this.finish = finish;
    }

    /** Begins one item; a throw of {@code begin} is as good as a failed stage. */
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

    /** All items were begun. */
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
