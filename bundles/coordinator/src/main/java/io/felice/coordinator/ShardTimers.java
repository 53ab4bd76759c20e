package io.felice.coordinator;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The timers of one shard: a heap of deadlines, and one scheduled task that wakes up for the earliest. A shard with many
 * members so needs one task of the scheduler, not one per member. Called on the shard's executor only; the tasks run on it
 * too.
 */
final class ShardTimers {
    /**
     * If a wake-up is late by more than this, the process was paused. It could not receive heartbeats meanwhile, so that no
     * member is removed for that time.
     */
    private static final long PAUSE_MS = 1_000;

    /** Cancelled deadlines stay in the heap up to this number: to remove one alone, the whole heap is searched. */
    private static final int CANCELLED_KEPT = 64;

    private final PriorityQueue<Deadline> queue =
            new PriorityQueue<>(Comparator.comparingLong((Deadline d) -> d.atMs).thenComparingLong(d -> d.order));
    private final Time time;
    private final ScheduledExecutorService scheduler;
    private final Executor shard;
    private ScheduledFuture<?> wakeUp;
    private long wakeUpAtMs = Long.MAX_VALUE;
    private long orders;
    private int cancelled;
    private boolean closed;
    private long resumedAtMs = Long.MIN_VALUE;

    ShardTimers(Time time, ScheduledExecutorService scheduler, Executor shard) {
        this.time = time;
        this.scheduler = scheduler;
        this.shard = shard;
    }

    final class Deadline {
        private final long atMs;
        private final long order;
        private Runnable task;

        private Deadline(long atMs, Runnable task) {
            this.atMs = atMs;
            this.order = orders++;
            this.task = task;
        }

        void cancel() {
            if (task != null) {
                task = null;
                cancelled++;
                dropCancelled();
            }
        }
    }

    Deadline in(long delayMs, Runnable task) {
        return at(time.nowMs() + Math.max(delayMs, 0), task);
    }

    /** @param atMs by {@link Time#nowMs} */
    Deadline at(long atMs, Runnable task) {
        Deadline deadline = new Deadline(atMs, task);
        if (!closed) {
            queue.add(deadline);
            wakeUp();
        }
        return deadline;
    }

    /** When the process last resumed after a pause, by {@link Time#nowMs}; {@code Long.MIN_VALUE} if it never paused. */
    long resumedAtMs() {
        return resumedAtMs;
    }

    void close() {
        closed = true;
        queue.clear();
        if (wakeUp != null) {
            wakeUp.cancel(false);
        }
    }

    private void wakeUp() {
        Deadline first = queue.peek();
        if (first == null || first.atMs >= wakeUpAtMs) {
            return;
        }
        if (wakeUp != null) {
            wakeUp.cancel(false);
        }
        wakeUpAtMs = first.atMs;
        long delay = Math.max(first.atMs - time.nowMs(), 0);
        wakeUp = scheduler.schedule(() -> shard.execute(this::runDue), delay, TimeUnit.MILLISECONDS);
    }

    private void runDue() {
        if (closed) {
            return;
        }
        long now = time.nowMs();
        if (wakeUpAtMs != Long.MAX_VALUE && now - wakeUpAtMs > PAUSE_MS) {
            resumedAtMs = now;
        }
        wakeUpAtMs = Long.MAX_VALUE;
        try {
            while (!closed && !queue.isEmpty() && queue.peek().atMs <= now) {
                run(queue.poll());
            }
        } finally {
            if (!closed) {
                wakeUp();
            }
        }
    }

    private void run(Deadline due) {
        Runnable task = due.task;
        due.task = null;
        if (task == null) {
            cancelled--;
        } else {
            task.run();
        }
    }

    private void dropCancelled() {
        if (cancelled > CANCELLED_KEPT && cancelled > queue.size() / 2) {
            queue.removeIf(deadline -> deadline.task == null);
            cancelled = 0;
        }
    }
}
