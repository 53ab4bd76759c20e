package io.felice.controller;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread on which the controller decides, and its timer. A simulator brings its own. */
interface ControllerThread extends Executor, AutoCloseable {
    Logger log = LoggerFactory.getLogger(ControllerThread.class);

    Duration END_WITHIN = Duration.ofSeconds(5);

    /** Runs {@code task} on this thread, after all earlier tasks. False if the thread has ended and the task will never run. */
    boolean offer(Runnable task);

    /** As {@link #offer}, for tasks that are not needed once the thread has ended. */
    @Override
    default void execute(Runnable task) {
        offer(task);
    }

    /** Runs {@code task} on this thread once {@code delay} has passed, unless it has ended by then. */
    void after(Duration delay, Runnable task);

    /** Runs the tasks that are due and no others, and waits for their end for at most {@link #END_WITHIN}. Idempotent. */
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

    /** The executor would keep a failure in a future that nobody reads. */
    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error broken) {
            log.error("A task of the controller failed; what it was to change may be changed in part", broken);
        }
    }
}
