package io.felice.broker;

import io.felice.api.FoldedErrors;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker's three threads. {@code felice-broker} makes the decisions, {@code felice-broker-state} writes the
 * broker's own files, and {@code felice-broker-timer} starts delayed and periodic tasks. After the threads have ended,
 * {@link #onMain} and {@link #inBackground} drop their tasks. Any thread may call the methods.
 */
final class BrokerThreads {
    private static final Logger log = LoggerFactory.getLogger(BrokerThreads.class);
    private static final FoldedErrors errors = new FoldedErrors(log);
    private static final long PATIENCE_SECONDS = 10;

    private final ExecutorService main = Executors.newSingleThreadExecutor(named("felice-broker"));
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, named("felice-broker-timer"));
    private final ExecutorService background = Executors.newSingleThreadExecutor(named("felice-broker-state"));

    BrokerThreads() {
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    private static ThreadFactory named(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    ScheduledThreadPoolExecutor timer() {
        return timer;
    }

    /** For tasks that may use the file system. The executor rejects tasks once its thread has ended. */
    Executor background() {
        return background;
    }

    /** Runs a task on {@code felice-broker}. */
    void onMain(Runnable task) {
        try {
            main.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException accident) {
                    errors.error("A task of the broker's thread failed; the thread goes on", accident);
                }
            });
        } catch (RejectedExecutionException closed) {
            log.debug("A task is dropped, because the broker is closed");
        }
    }

    /** Runs a task on {@code felice-broker-state}. */
    void inBackground(Runnable task) {
        try {
            background.execute(task);
        } catch (RejectedExecutionException closed) {
            log.debug("A file of the broker is not written, because the broker is closed");
        }
    }

    /** Runs a task on {@code felice-broker} after a delay. */
    void later(long delayMs, Runnable task) {
        timer.schedule(() -> onMain(task), delayMs, TimeUnit.MILLISECONDS);
    }

    /**
     * Runs {@code decision} on {@code felice-broker} and waits until its result is complete, but ten seconds at most.
     *
     * @param what names the decision in the log line about a timeout, for example "closing the partitions"
     */
    void decide(Supplier<CompletableFuture<?>> decision, String what) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        try {
            main.execute(() -> {
                try {
                    decision.get().whenComplete((nothing, failure) -> done.complete(null));
                } catch (RuntimeException accident) {
                    done.completeExceptionally(accident);
                }
            });
        } catch (RejectedExecutionException closed) {
            return;
        }
        await(done, what);
    }

    private static void await(CompletableFuture<?> done, String what) {
        try {
            done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException late) {
            log.warn("Failed, or not finished after {} seconds: {}", PATIENCE_SECONDS, what);
        }
    }

    /** Accepts no more writes, and waits until the accepted ones are done, but ten seconds at most. */
    void endBackground() {
        background.shutdown();
        try {
            if (!background.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                log.warn("The broker's files are still being written after {} seconds", PATIENCE_SECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the other two threads. */
    void end() {
        timer.shutdown();
        main.shutdown();
    }
}
