package io.felice.itests.simulation;

import io.felice.itests.simulation.Timeline.Life;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** The timer of a broker in virtual time. */
final class SimulatedTimer extends AbstractExecutorService implements ScheduledExecutorService {
    private final Timeline timeline;
    private final Life life;
    private final LongSupplier delay;

    /** @param delay of a task that is to run at once, in nanoseconds */
    SimulatedTimer(Timeline timeline, Life life, LongSupplier delay) {
        this.timeline = timeline;
        this.life = life;
        this.delay = delay;
    }

    private static final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
        Task(Callable<V> work) {
            super(work);
        }

        @Override
        public long getDelay(TimeUnit unit) {
            throw new UnsupportedOperationException("the timeline has the order of tasks");
        }

        @Override
        public int compareTo(Delayed other) {
            throw new UnsupportedOperationException("the timeline has the order of tasks");
        }
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> work, long delay, TimeUnit unit) {
        Task<V> task = new Task<>(work);
        timeline.after(life, unit.toNanos(delay), task);
        return task;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable work, long delay, TimeUnit unit) {
        return schedule(
                () -> {
                    work.run();
                    return null;
                },
                delay,
                unit);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable work, long first, long period, TimeUnit unit) {
        throw new UnsupportedOperationException("the broker repeats tasks with a fixed delay only");
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable work, long first, long delay, TimeUnit unit) {
        return schedule(
                () -> {
                    work.run();
                    scheduleWithFixedDelay(work, delay, delay, unit);
                },
                first,
                unit);
    }

    @Override
    public void execute(Runnable task) {
        timeline.after(life, delay.getAsLong(), task);
    }

    @Override
    public void shutdown() {
        // The life of the broker ends the timer.
    }

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return life.isDead();
    }

    @Override
    public boolean isTerminated() {
        return life.isDead();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }
}
