package io.felice.controller;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread of the controller, with its timer. Tests and simulations bring their own. */
interface ControllerThread extends Executor, AutoCloseable {
    Logger log = LoggerFactory.getLogger(ControllerThread.class);

    Duration END_WITHIN = Duration.ofSeconds(5);

    /**
     * Runs {@code task} after all earlier tasks.
     *
     * @return false if the thread has ended, so that the task never runs
     */
    boolean offer(Runnable task);

    /** Like {@link #offer}, but drops the task silently if the thread has ended. */
    @Override
    default void execute(Runnable task) {
        offer(task);
    }

    /** Runs {@code task} after {@code delay}. Drops it if the thread ends before. */
    void after(Duration delay, Runnable task);

    /**
     * Ends the thread: runs the tasks that are due, drops the others, and waits for at most {@link #END_WITHIN}.
     * Idempotent.
     */
    @Override
    void close();

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
                    executor.execute(() -> run(task));
                    return true;
                } catch (RejectedExecutionException closed) {
                    return false;
                }
            }

            @Override
            public void after(Duration delay, Runnable task) {
                try {
                    executor.schedule(() -> run(task), delay.toNanos(), TimeUnit.NANOSECONDS);
                } catch (RejectedExecutionException closed) {
                    log.debug("A task is dropped: the controller is closed");
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

    /** Logs the failure of a task. The executor would only store it in a future that nobody reads. */
    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error broken) {
            log.error("A task of the controller failed; what it was to change may be changed in part", broken);
        }
    }
}
