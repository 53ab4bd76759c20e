package io.felice.cluster.zookeeper;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread that changes the store's state and calls back. Drops tasks that come after {@link #end}. */
final class EventThread implements Executor {
    private static final Logger log = LoggerFactory.getLogger(EventThread.class);

    private final ScheduledThreadPoolExecutor executor;

    EventThread() {
        executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "felice-cluster-zookeeper");
            thread.setDaemon(true);
            return thread;
        });
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        executor.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
    }

    @Override
    public void execute(Runnable task) {
        offer(task);
    }

    /** @return false if the thread has ended, so that the task never runs */
    boolean offer(Runnable task) {
        try {
            executor.execute(() -> run(task));
            return true;
        } catch (RejectedExecutionException ended) {
            return false;
        }
    }

    void after(Duration delay, Runnable task) {
        try {
            executor.schedule(() -> run(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException ended) {
            log.debug("A task is dropped because the cluster store is closed: {}", task);
        }
    }

    /** Ends the thread: runs the tasks that are due, drops the others, and waits for at most {@code within}. */
    void end(Duration within) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(within.toNanos(), TimeUnit.NANOSECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException accident) {
            log.error("A task of the cluster store failed; the change it was making may be incomplete", accident);
        }
    }
}
