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
 * The broker's three threads: one decides, one writes the broker's own files, one is the clock of both. Once they have
 * ended, a task that is given to {@link #onMain} or {@link #inBackground} is dropped. Any thread.
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

    /** Runs what may touch the file system; rejects it once the thread has ended. */
    Executor background() {
        return background;
    }

    /** Runs a task on the thread that decides. */
    void onMain(Runnable task) {
        try {
            main.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException accident) {
                    errors.error("The broker's thread met a failure and goes on", accident);
                }
            });
        } catch (RejectedExecutionException closed) {
            log.debug("Nothing is decided any more: the broker is closed");
        }
    }

    /** Runs a task on the thread that writes the broker's files. */
    void inBackground(Runnable task) {
        try {
            background.execute(task);
        } catch (RejectedExecutionException closed) {
            log.debug("No state is written any more: the broker is closed");
        }
    }

    /** Runs a task on the thread that decides, some time from now. */
    void later(long delayMs, Runnable task) {
        timer.schedule(() -> onMain(task), delayMs, TimeUnit.MILLISECONDS);
    }

    /**
     * Takes a decision on the thread that decides, and waits until its consequences are done, but not for long.
     *
     * @param what what is let go of, for the log
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
            log.warn("It takes long to let go of {}", what);
        }
    }

    /** Returns when the broker's files are written, or after a while; nothing is written afterwards. */
    void endBackground() {
        background.shutdown();
        try {
            if (!background.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                log.warn("State files are still being written");
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
