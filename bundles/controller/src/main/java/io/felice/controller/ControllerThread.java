package io.felice.controller;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The one thread on which everything is decided, and its clock; a simulator has its own. */
interface ControllerThread extends Executor, AutoCloseable {
    Duration END_WITHIN = Duration.ofSeconds(5);

    /** Runs {@code task} on this thread, after all before it; false if the thread takes no more: it will never run. */
    boolean offer(Runnable task);

    /** As {@link #offer}, for what nobody waits for any more once the thread has ended. */
    @Override
    default void execute(Runnable task) {
        offer(task);
    }

    /** Runs {@code task} on this thread once {@code delay} has passed, unless it has ended by then. */
    void after(Duration delay, Runnable task);

    /** Runs what is due and nothing more, and waits for its end, for a bounded time; idempotent. */
    @Override
    void close();

    /** A real thread. */
    static ControllerThread start() {
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "felice-controller");
            thread.setDaemon(true);
            return thread;
        });
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return new ControllerThread() {
            @Override
            public boolean offer(Runnable task) {
                try {
                    executor.execute(task);
                    return true;
                } catch (RejectedExecutionException closed) {
                    return false;
                }
            }

            @Override
            public void after(Duration delay, Runnable task) {
                try {
                    executor.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
                } catch (RejectedExecutionException closed) {
                    // Nobody waits for it any more.
                }
            }

            @Override
            public void close() {
                executor.shutdown();
                try {
                    executor.awaitTermination(END_WITHIN.toNanos(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }
}
