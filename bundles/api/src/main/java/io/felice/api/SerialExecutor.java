package io.felice.api;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One writer without a lock to wait for: a queue drained by whichever thread finds it idle.
 *
 * <p>A caller that gets the ownership runs its task at once on its own thread; one that does not leaves the task in the
 * queue and returns. The owner drains a bounded number of tasks, the rest goes to the pool, so that no caller is kept
 * for long. Tasks run one at a time, in the order of {@link #execute}, each seeing what the earlier ones wrote. A task
 * must not block; one that throws is handed to the owner thread's uncaught exception handler and does not stop the queue.
 * A task that calls {@link #execute} on its own queue is enqueued, never nested.
 */
public final class SerialExecutor implements Executor {
    private static final int DRAINED_BY_A_CALLER = 64;

    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean owned = new AtomicBoolean();
    private final Executor pool;

    /** {@code pool} runs what a caller leaves behind; in a simulator it may run inline. */
    public SerialExecutor(Executor pool) {
        this.pool = pool;
    }

    @Override
    public void execute(Runnable task) {
        queue.add(task);
        drain(DRAINED_BY_A_CALLER);
    }

    /** As {@link #execute}, but leaves the task to the pool: for a caller that must not run it. The order is the same. */
    public void later(Runnable task) {
        queue.add(task);
        pool.execute(() -> drain(DRAINED_BY_A_CALLER));
    }

    /** True if no task is waiting; a task that runs just now does not count. */
    public boolean isIdle() {
        return queue.isEmpty();
    }

    private void drain(int most) {
        int left = most;
        while (!queue.isEmpty() && owned.compareAndSet(false, true)) {
            try {
                for (; left > 0; left--) {
                    Runnable task = queue.poll();
                    if (task == null) {
                        break;
                    }
                    run(task);
                }
            } finally {
                owned.set(false);
            }
            if (left == 0 && !queue.isEmpty()) {
                pool.execute(() -> drain(DRAINED_BY_A_CALLER));
                return;
            }
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error failure) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
        }
    }
}
