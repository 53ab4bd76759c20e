package io.felice.coordinator;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes the threads of the coordinator: one for the timers of all shards, and a few loaders that end when idle. */
final class Threads {
    private static final int LOADERS =
            Math.max(2, Math.min(4, Runtime.getRuntime().availableProcessors()));
    private static final int IDLE_SECONDS = 10;

    private Threads() {}

    static ScheduledExecutorService timer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, named("felice-coordinator-timer"));
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return timer;
    }

    static ExecutorService loaders() {
        ThreadPoolExecutor loaders = new ThreadPoolExecutor(
                LOADERS,
                LOADERS,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                named("felice-coordinator-loader"));
        loaders.allowCoreThreadTimeOut(true);
        return loaders;
    }

    private static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
