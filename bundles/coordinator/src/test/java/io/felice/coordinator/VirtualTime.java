package io.felice.coordinator;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A clock that the test advances. Tasks that are executed or scheduled run on the test's thread, in the order of their times. */
final class VirtualTime extends AbstractExecutorService implements ScheduledExecutorService {
    private static final long START = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();

    private final PriorityQueue<Task<?>> queue =
            new PriorityQueue<>(Comparator.comparingLong((Task<?> t) -> t.atMs).thenComparingLong(t -> t.order));
    private long elapsedMs;
    private long orders;
    private boolean shutDown;

    private final class Task<V> extends FutureTask<V> implements RunnableScheduledFuture<V> {
        private final long atMs;
        private final long order = orders++;

        private Task(Callable<V> action, long atMs) {
            super(action);
            this.atMs = atMs;
        }

        /** Rethrows the failure of a task, because no caller reads its future. */
        private void runLoudly() {
            run();
            if (!isCancelled()) {
                try {
                    get();
                } catch (InterruptedException | ExecutionException failure) {
                    throw new AssertionError(failure);
                }
            }
        }

        @Override
        public boolean isPeriodic() {
            return false;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(atMs - elapsedMs, TimeUnit.MILLISECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.MILLISECONDS), other.getDelay(TimeUnit.MILLISECONDS));
        }
    }

    Time time() {
        return new Time(new VirtualClock(), () -> elapsedMs);
    }

    long calendarMs() {
        return START + elapsedMs;
    }

    /** Runs the tasks that are due now. */
    void settle() {
        advance(Duration.ZERO);
    }

    void advance(Duration step) {
        long until = elapsedMs + step.toMillis();
        while (!queue.isEmpty() && queue.peek().atMs <= until) {
            Task<?> next = queue.poll();
            elapsedMs = Math.max(elapsedMs, next.atMs);
            next.runLoudly();
        }
        elapsedMs = until;
    }

    /** Advances the clock without running a task, as if the process was paused. */
    void freeze(Duration pause) {
        elapsedMs += pause.toMillis();
    }

    @Override
    public void execute(Runnable action) {
        schedule(action, 0, TimeUnit.MILLISECONDS);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable action, long delay, TimeUnit unit) {
        return schedule(Executors.callable(action), delay, unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> action, long delay, TimeUnit unit) {
        if (shutDown) {
            throw new RejectedExecutionException("shut down");
        }
        Task<V> task = new Task<>(action, elapsedMs + Math.max(unit.toMillis(delay), 0));
        queue.add(task);
        return task;
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable action, long delay, long period, TimeUnit unit) {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable action, long delay, long period, TimeUnit unit) {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public void shutdown() {
        shutDown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutDown = true;
        List<Runnable> rest = new ArrayList<>(queue);
        queue.clear();
        return rest;
    }

    @Override
    public boolean isShutdown() {
        return shutDown;
    }

    @Override
    public boolean isTerminated() {
        return shutDown && queue.isEmpty();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return isTerminated();
    }

    /** An executor on the same clock that can be shut down without the others. */
    ScheduledExecutorService view() {
        return new View();
    }

    private final class View extends AbstractExecutorService implements ScheduledExecutorService {
        private boolean closed;

        private void check() {
            if (closed) {
                throw new RejectedExecutionException("shut down");
            }
        }

        private <V> Callable<V> unlessClosed(Callable<V> action) {
            return () -> closed ? null : action.call();
        }

        @Override
        public void execute(Runnable action) {
            schedule(action, 0, TimeUnit.MILLISECONDS);
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable action, long delay, TimeUnit unit) {
            return schedule(Executors.callable(action), delay, unit);
        }

        @Override
        public <V> ScheduledFuture<V> schedule(Callable<V> action, long delay, TimeUnit unit) {
            check();
            return VirtualTime.this.schedule(unlessClosed(action), delay, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleAtFixedRate(Runnable action, long delay, long period, TimeUnit unit) {
            throw new UnsupportedOperationException("a coordinator has no use for this");
        }

        @Override
        public ScheduledFuture<?> scheduleWithFixedDelay(Runnable action, long delay, long period, TimeUnit unit) {
            throw new UnsupportedOperationException("a coordinator has no use for this");
        }

        @Override
        public void shutdown() {
            closed = true;
        }

        @Override
        public List<Runnable> shutdownNow() {
            closed = true;
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return closed;
        }

        @Override
        public boolean isTerminated() {
            return closed;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return closed;
        }
    }

    private final class VirtualClock extends Clock {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(calendarMs());
        }

        @Override
        public long millis() {
            return calendarMs();
        }
    }
}
