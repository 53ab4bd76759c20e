package io.felice.api;

import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one at a time, in the order of {@link #execute}, without a thread of its own and without a lock. Each task
 * sees what the earlier tasks wrote.
 *
 * <p>A caller that finds the queue idle runs its task at once, on its own thread. A caller that finds the queue busy
 * adds its task and returns; the thread that drains the queue runs it. A thread drains at most 64 tasks, so that no
 * caller is kept for long; the pool runs the rest. A task must not block. A task may call {@link #execute} on its own
 * queue: the new task runs after the current one, not inside it.
 *
 * <p>A task that throws has broken an invariant. The failure is logged at ERROR with its stack trace, and the next task
 * runs. If the thread has its own uncaught exception handler, that handler gets the failure as well.
 */
public final class SerialExecutor implements Executor {
    private static final Logger logger = LoggerFactory.getLogger(SerialExecutor.class);

    private static final int MOST_TASKS_PER_DRAIN = 64;

    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean owned = new AtomicBoolean();
    private final Object subject;
    private final Executor pool;

    /**
     * @param subject the object that the tasks change, for example a partition. Its {@code toString} is in the log line
     *     of a task that throws
     * @param pool runs the tasks that a caller leaves in the queue; in a simulator the pool may run them at once, on
     *     the calling thread
     */
    public SerialExecutor(Object subject, Executor pool) {
        this.subject = Objects.requireNonNull(subject, "subject");
        this.pool = Objects.requireNonNull(pool, "pool");
    }

    @Override
    public void execute(Runnable task) {
        queue.add(task);
        drain();
    }

    /**
     * As {@link #execute}, but never on the calling thread inside this call: the pool drains the queue. The order is
     * the same.
     */
    public void later(Runnable task) {
        queue.add(task);
        pool.execute(this::drain);
    }

    private void drain() {
        int left = MOST_TASKS_PER_DRAIN;
        while (!queue.isEmpty() && owned.compareAndSet(false, true)) {
            try {
                left = runAtMost(left);
            } finally {
                owned.set(false);
            }
            if (left == 0 && !queue.isEmpty()) {
                pool.execute(this::drain);
                return;
            }
        }
    }

    /** Returns how many more tasks this thread may run. */
    private int runAtMost(int most) {
        for (int left = most; left > 0; left--) {
            Runnable task = queue.poll();
            if (task == null) {
                return left;
            }
            run(task);
        }
        return 0;
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error broken) {
            logger.error("A task of {} failed; its changes may be incomplete", subject, broken);
            passToOwnHandler(Thread.currentThread(), broken);
        }
    }

    /**
     * Skips the thread group, which a thread without its own handler returns: the group would print the failure again.
     */
    private static void passToOwnHandler(Thread thread, Throwable broken) {
        Thread.UncaughtExceptionHandler handler = thread.getUncaughtExceptionHandler();
        if (handler != thread.getThreadGroup()) {
            handler.uncaughtException(thread, broken);
        }
    }
}
