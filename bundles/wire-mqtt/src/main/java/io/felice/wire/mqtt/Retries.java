package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Tries again what fails only for now: while a log is opened or a group is loaded. Any thread. */
final class Retries {
    private static final Set<ErrorCode> FOR_NOW = Set.of(
            ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
            ErrorCode.COORDINATOR_NOT_AVAILABLE,
            ErrorCode.NOT_COORDINATOR,
            ErrorCode.LEADER_NOT_AVAILABLE,
            ErrorCode.NOT_LEADER_OR_FOLLOWER);
    private static final long AFTER_MS = 50;

    private final ScheduledExecutorService timer;
    private final long limitNanos;

    Retries(ScheduledExecutorService timer, Duration limit) {
        this.timer = timer;
        this.limitNanos = limit.toNanos();
    }

    /** Completes with the first success, or fails with the last failure when the time is over. */
    <T> CompletionStage<T> of(Supplier<CompletionStage<T>> attempt) {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        attempt(attempt, outcome, System.nanoTime() + limitNanos);
        return outcome;
    }

    private <T> void attempt(Supplier<CompletionStage<T>> attempt, CompletableFuture<T> outcome, long deadline) {
        begun(attempt).whenComplete((value, failure) -> {
            if (failure == null) {
                outcome.complete(value);
            } else if (!FOR_NOW.contains(FeliceException.codeOf(failure)) || System.nanoTime() - deadline > 0) {
                outcome.completeExceptionally(FeliceException.unwrap(failure));
            } else {
                later(() -> attempt(attempt, outcome, deadline), outcome, failure);
            }
        });
    }

    private static <T> CompletionStage<T> begun(Supplier<CompletionStage<T>> attempt) {
        try {
            return attempt.get();
        } catch (FeliceException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private void later(Runnable next, CompletableFuture<?> outcome, Throwable failure) {
        try {
            timer.schedule(next, AFTER_MS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopped) {
            outcome.completeExceptionally(FeliceException.unwrap(failure));
        }
    }
}
