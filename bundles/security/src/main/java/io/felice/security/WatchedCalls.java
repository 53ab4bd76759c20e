package io.felice.security;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls of one plugin. They run on threads that this plugin has for itself, so that a plugin that hangs holds up only
 * those that use it. Each call has a time limit, at most {@link #MOST_OPEN} calls are open, and after {@link
 * #FAILURES_IN_A_ROW} failures in a row the plugin is not called for {@link #PAUSE_MS}.
 *
 * <p>A {@link FeliceException} is an answer of the plugin, not a failure. A call that is not made, is late, or gives null
 * fails with REQUEST_TIMED_OUT; any other failure is what the plugin has thrown. Any thread; no method blocks.
 */
final class WatchedCalls implements AutoCloseable {
    static final int MOST_OPEN = 4_096;
    static final int FAILURES_IN_A_ROW = 10;
    static final int PAUSE_MS = 5_000;

    private static final Logger log = LoggerFactory.getLogger(WatchedCalls.class);
    private static final int THREADS =
            Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors()));
    private static final int IDLE_THREAD_SECONDS = 30;
    private static final long WARN_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String plugin;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final ThreadPoolExecutor threads;
    private final Set<Call<?>> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger openCalls = new AtomicInteger();
    private final AtomicInteger failuresInARow = new AtomicInteger();
    /** How often a thread has come back from the plugin. */
    private final AtomicLong returns = new AtomicLong();

    private final LongAdder calls = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder late = new LongAdder();
    private final LongAdder notCalled = new LongAdder();
    private volatile boolean paused;
    private volatile long pausedSince;
    private volatile long warnedAt;
    private volatile boolean closed;

    /**
     * @param plugin what the plugin is called in sentences
     * @param timer ends the calls that take too long
     */
    WatchedCalls(String plugin, ScheduledExecutorService timer, LongSupplier nanos) {
        this.plugin = plugin;
        this.timer = timer;
        this.nanos = nanos;
        this.warnedAt = nanos.getAsLong() - WARN_EVERY_NANOS;
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "felice-security-" + plugin);
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /** The numbers of one plugin, for the status. */
    record Counted(long calls, long failures, long late, long notCalled, int open, int busyThreads, boolean paused) {}

    Counted counted() {
        return new Counted(
                calls.sum(),
                failures.sum(),
                late.sum(),
                notCalled.sum(),
                openCalls.get(),
                threads.getActiveCount(),
                isPaused());
    }

    /** True if the plugin is not called now, because it has failed too often. */
    boolean isPaused() {
        return paused && nanos.getAsLong() - pausedSince < TimeUnit.MILLISECONDS.toNanos(PAUSE_MS);
    }

    <T> CompletableFuture<T> call(int limitMs, Callable<T> question) {
        return ask(limitMs, () -> CompletableFuture.completedFuture(question.call()));
    }

    /** As {@link #call}; the time limit holds until the plugin's stage is complete. */
    <T> CompletableFuture<T> ask(int limitMs, Callable<? extends CompletionStage<T>> question) {
        if (closed) {
            return notCalled("has gone");
        } else if (isPaused()) {
            return notCalled("has failed too often and is not asked for some seconds");
        } else if (openCalls.incrementAndGet() > MOST_OPEN) {
            openCalls.decrementAndGet();
            return notCalled("has too many calls to answer");
        }
        return new Call<>(question).started(limitMs);
    }

    private <T> CompletableFuture<T> notCalled(String why) {
        notCalled.increment();
        return CompletableFuture.failedFuture(ErrorCode.REQUEST_TIMED_OUT.because(plugin + " " + why));
    }

    /** Runs a task on the plugin's threads without a limit, unless the plugin has gone. It is no call of the plugin. */
    void later(Runnable task) {
        try {
            threads.execute(task);
        } catch (RejectedExecutionException gone) {
            log.debug("{} has gone", plugin);
        }
    }

    /** Fails the open calls. Does not wait for threads that the plugin holds. */
    @Override
    public void close() {
        closed = true;
        threads.shutdown();
        open.forEach(call -> call.end(null, ErrorCode.REQUEST_TIMED_OUT.because(plugin + " has gone")));
    }

    private final class Call<T> implements Runnable {
        private final Callable<? extends CompletionStage<T>> question;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private final AtomicBoolean isOver = new AtomicBoolean();
        private final long returnsBefore = returns.get();
        private volatile boolean isBegun;
        private volatile Future<?> limit;

        Call(Callable<? extends CompletionStage<T>> question) {
            this.question = question;
        }

        CompletableFuture<T> started(int limitMs) {
            calls.increment();
            open.add(this);
            try {
                limit = timer.schedule(() -> tooLate(limitMs), limitMs, TimeUnit.MILLISECONDS);
                threads.execute(this);
            } catch (RejectedExecutionException gone) {
                end(null, ErrorCode.REQUEST_TIMED_OUT.because(plugin + " has gone"));
            }
            return answer;
        }

        @Override
        public void run() {
            if (isOver.get()) {
                return;
            }
            isBegun = true;
            try {
                CompletionStage<T> stage = question.call();
                if (stage == null) {
                    answered(null, null);
                } else {
                    stage.whenComplete(this::answered);
                }
            } catch (Throwable thrown) {
                answered(null, thrown);
            } finally {
                returns.incrementAndGet();
            }
        }

        private void answered(T value, Throwable thrown) {
            Throwable failure = value == null && thrown == null
                    ? ErrorCode.REQUEST_TIMED_OUT.because(plugin + " has answered null")
                    : FeliceException.unwrap(thrown);
            if (isOver.get()) {
                return;
            }
            if (thrown == null ? value != null : failure instanceof FeliceException) {
                worked();
            } else {
                failures.increment();
                failed(failure);
            }
            end(value, failure);
        }

        /** A call that has only waited behind others is no failure of the plugin, unless none of them has come back. */
        private void tooLate(int limitMs) {
            if (!isOver.get()) {
                late.increment();
                FeliceException failure =
                        ErrorCode.REQUEST_TIMED_OUT.because(plugin + " has not answered within " + limitMs + " ms");
                if (isBegun || returns.get() == returnsBefore) {
                    failed(failure);
                }
                end(null, failure);
            }
        }

        private void end(T value, Throwable failure) {
            if (isOver.compareAndSet(false, true)) {
                open.remove(this);
                openCalls.decrementAndGet();
                if (limit != null) {
                    limit.cancel(false);
                }
                if (!isBegun) {
                    threads.remove(this);
                }
                if (failure == null) {
                    answer.complete(value);
                } else {
                    answer.completeExceptionally(failure);
                }
            }
        }
    }

    private void worked() {
        failuresInARow.set(0);
        if (paused) {
            paused = false;
            log.info("{} answers again", plugin);
        }
    }

    private void failed(Throwable failure) {
        boolean isTooMany = failuresInARow.incrementAndGet() >= FAILURES_IN_A_ROW;
        long now = nanos.getAsLong();
        if (isTooMany) {
            pausedSince = now;
            paused = true;
        }
        if (now - warnedAt >= WARN_EVERY_NANOS) {
            warnedAt = now;
            log.warn(
                    "{} has failed{}; who depends on its answer is refused",
                    plugin,
                    isTooMany ? " too often and is not asked for " + PAUSE_MS + " ms" : "",
                    failure);
        }
    }
}
