package io.felice.api.extension;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
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
 * The calls of one extension. They run on threads that this extension has for itself, so that one that hangs holds up only
 * those that use it. Each call has a time limit, at most {@link #MOST_OPEN} calls are open, and after {@link
 * #FAILURES_IN_A_ROW} failures in a row the extension is not called for {@link #PAUSE_MS}.
 *
 * <p>A {@link FeliceException} is an answer of the extension, not a failure. A call that is not made, is late, or gives
 * null fails with REQUEST_TIMED_OUT; any other failure is what the extension has thrown. Any thread; no method blocks.
 */
public final class WatchedCalls implements AutoCloseable {
    /** Most open calls; further ones fail at once. */
    public static final int MOST_OPEN = 4_096;

    /** After so many failures in a row there is a pause. */
    public static final int FAILURES_IN_A_ROW = 10;

    /** How long the extension is not called after too many failures, in milliseconds. */
    public static final int PAUSE_MS = 5_000;

    private static final Logger log = LoggerFactory.getLogger(WatchedCalls.class);
    private static final int THREADS =
            Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors()));
    private static final int IDLE_THREAD_SECONDS = 30;
    private static final long WARN_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long TELL_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String extension;
    private final String provider;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final ThreadPoolExecutor threads;
    private final Set<Call<?>> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger openCalls = new AtomicInteger();
    private final AtomicInteger failuresInARow = new AtomicInteger();
    /** The calls that have not come back, also those that were given up. */
    private final Set<Running> running = ConcurrentHashMap.newKeySet();

    /** How often a thread has come back from the extension. */
    private final AtomicLong returns = new AtomicLong();

    private final LongAdder calls = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder late = new LongAdder();
    private final LongAdder notCalled = new LongAdder();
    private volatile boolean paused;
    private volatile long pausedSince;
    private volatile long warnedAt;
    private volatile long toldAt;
    private volatile boolean closed;

    /**
     * @param extension what the extension is called in sentences, for example {@code authenticator PLAIN}; its threads
     *     have this name behind {@code felice-}, with a dash for each space
     * @param provider the component and the bundle that it is from, for the log
     * @param timer ends the calls that take too long; the caller shuts it down
     * @param nanos the clock, as {@link System#nanoTime}
     */
    public WatchedCalls(String extension, String provider, ScheduledExecutorService timer, LongSupplier nanos) {
        this.extension = extension;
        this.provider = provider;
        this.timer = timer;
        this.nanos = nanos;
        this.warnedAt = nanos.getAsLong() - WARN_EVERY_NANOS;
        this.toldAt = nanos.getAsLong() - TELL_EVERY_NANOS;
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "felice-" + extension.replace(' ', '-'));
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /**
     * The numbers of one extension, for the status.
     *
     * @param calls the calls that were made
     * @param failures those that have thrown or given null
     * @param late those that were not answered within their limit
     * @param notCalled the calls that were not made
     * @param open the calls that have no answer yet
     * @param busyThreads the threads that are in the extension
     * @param paused true if it is not called now
     */
    public record Counted(
            long calls, long failures, long late, long notCalled, int open, int busyThreads, boolean paused) {}

    /** The numbers now. */
    public Counted counted() {
        return new Counted(
                calls.sum(),
                failures.sum(),
                late.sum(),
                notCalled.sum(),
                openCalls.get(),
                threads.getActiveCount(),
                isPaused());
    }

    /** True if the extension is not called now, because it has failed too often. */
    public boolean isPaused() {
        return paused && nanos.getAsLong() - pausedSince < TimeUnit.MILLISECONDS.toNanos(PAUSE_MS);
    }

    /**
     * The oldest call that is later than its limit and has not come back: which call, for how long, in which thread, and
     * where. Looks at the stack of that thread.
     *
     * @return the rest of a sentence; empty if no call hangs
     */
    public Optional<String> hanging() {
        long now = nanos.getAsLong();
        return running.stream()
                .filter(call -> call.isLate(now))
                .min(Comparator.comparingLong(call -> call.begunAt))
                .map(this::where);
    }

    private String where(Running call) {
        long seconds = TimeUnit.NANOSECONDS.toSeconds(nanos.getAsLong() - call.begunAt);
        return call.thread == null
                ? call.what + " has not completed for " + seconds + " s"
                : call.what + " runs for " + seconds + " s in the thread " + call.thread.getName()
                        + topFrame(call.thread).map(frame -> ", at " + frame).orElse("");
    }

    /** A call that has not come back. */
    public final class Running {
        private final String what;
        /** Null if a stage is awaited. */
        private final Thread thread;

        private final long limitNanos;
        private final long begunAt = nanos.getAsLong();
        private final AtomicBoolean isCounted = new AtomicBoolean();
        private volatile boolean wasGivenUp;
        private volatile boolean isOver;

        private Running(String what, Thread thread, int limitMs) {
            this.what = what;
            this.thread = thread;
            this.limitNanos = TimeUnit.MILLISECONDS.toNanos(limitMs);
        }

        private boolean isLate(long now) {
            return wasGivenUp || now - begunAt >= limitNanos;
        }

        /** If the call is late and has not come back: what {@link WatchedCalls#hanging} says of it. */
        public Optional<String> hanging() {
            return !isOver && isLate(nanos.getAsLong()) ? Optional.of(where(this)) : Optional.empty();
        }

        private void countIfLate() {
            if (isLate(nanos.getAsLong()) && isCounted.compareAndSet(false, true)) {
                late.increment();
            }
        }

        /**
         * The call has come back.
         *
         * @param failure what it has thrown; null if nothing. An exception counts as a failure, unless it is a {@link
         *     FeliceException} other than KAFKA_STORAGE_ERROR
         */
        public void ended(Throwable failure) {
            isOver = true;
            running.remove(this);
            countIfLate();
            countIfFailed(failure);
        }
    }

    /**
     * The caller's thread calls the extension now, and tells {@link Running#ended} when it comes back. For callers that have
     * threads for the extension. The call is counted and watched; it is also made during a pause.
     *
     * @param limitMs after this time the call is late, in milliseconds
     */
    public Running begin(String what, int limitMs) {
        calls.increment();
        return begun(what, Thread.currentThread(), limitMs);
    }

    /** Watches what a call has begun, until the stage is complete. */
    public Running awaiting(String what, int limitMs, CompletionStage<?> stage) {
        Running call = begun(what, null, limitMs);
        stage.whenComplete((value, failure) -> call.ended(FeliceException.unwrap(failure)));
        return call;
    }

    private Running begun(String what, Thread thread, int limitMs) {
        Running call = new Running(what, thread, limitMs);
        running.add(call);
        return call;
    }

    /** Counts a call that nobody watches, because it does not block. */
    public void count(Throwable failure) {
        calls.increment();
        countIfFailed(failure);
    }

    private void countIfFailed(Throwable failure) {
        if (failure != null
                && !(failure instanceof FeliceException answer && answer.code() != ErrorCode.KAFKA_STORAGE_ERROR)) {
            failures.increment();
        }
    }

    /** For a timer, about every second: counts the calls that have become late, and logs one of them. */
    public void look() {
        running.forEach(Running::countIfLate);
        long now = nanos.getAsLong();
        if (now - toldAt >= TELL_EVERY_NANOS) {
            hanging().ifPresent(call -> {
                toldAt = now;
                log.warn("The {} ({}) does not come back: {}", extension, provider, call);
            });
        }
    }

    /**
     * Calls the extension on a thread of its own.
     *
     * @param what the method that is called, for sentences, for example {@code hasPassword()}
     * @param limitMs how long the caller waits for the answer, in milliseconds
     * @param question calls the extension; may block
     * @return completes on a thread of the extension or of the timer
     */
    public <T> CompletableFuture<T> call(String what, int limitMs, Callable<T> question) {
        return ask(what, limitMs, () -> CompletableFuture.completedFuture(question.call()));
    }

    /** As {@link #call}; the time limit holds until the extension's stage is complete. */
    public <T> CompletableFuture<T> ask(String what, int limitMs, Callable<? extends CompletionStage<T>> question) {
        if (closed) {
            return notCalled("has gone");
        } else if (isPaused()) {
            return notCalled("has failed too often and is not asked for some seconds");
        } else if (openCalls.incrementAndGet() > MOST_OPEN) {
            openCalls.decrementAndGet();
            return notCalled("has too many calls to answer");
        }
        return new Call<>(what, question).started(limitMs);
    }

    private <T> CompletableFuture<T> notCalled(String why) {
        notCalled.increment();
        return CompletableFuture.failedFuture(ErrorCode.REQUEST_TIMED_OUT.because("The " + extension + " " + why));
    }

    /**
     * Runs a task on the extension's threads without a limit, unless the extension has gone. It is not counted as a call.
     */
    public void later(Runnable task) {
        try {
            threads.execute(task);
        } catch (RejectedExecutionException gone) {
            log.debug("The {} has gone", extension);
        }
    }

    /** Fails the open calls. Does not wait for threads that the extension holds. */
    @Override
    public void close() {
        closed = true;
        threads.shutdown();
        open.forEach(call -> call.end(null, ErrorCode.REQUEST_TIMED_OUT.because("The " + extension + " has gone")));
    }

    private final class Call<T> implements Runnable {
        private final String what;
        private final Callable<? extends CompletionStage<T>> question;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private final AtomicBoolean isOver = new AtomicBoolean();
        private final long returnsBefore = returns.get();
        private volatile Running running;
        private volatile Future<?> limit;

        Call(String what, Callable<? extends CompletionStage<T>> question) {
            this.what = what;
            this.question = question;
        }

        CompletableFuture<T> started(int limitMs) {
            calls.increment();
            open.add(this);
            try {
                limit = timer.schedule(() -> tooLate(limitMs), limitMs, TimeUnit.MILLISECONDS);
                threads.execute(this);
            } catch (RejectedExecutionException gone) {
                end(null, ErrorCode.REQUEST_TIMED_OUT.because("The " + extension + " has gone"));
            }
            return answer;
        }

        @Override
        public void run() {
            if (isOver.get()) {
                return;
            }
            Running here = new Running(what, Thread.currentThread(), Integer.MAX_VALUE);
            running = here;
            WatchedCalls.this.running.add(here);
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
                here.isOver = true;
                WatchedCalls.this.running.remove(here);
                returns.incrementAndGet();
            }
        }

        private void answered(T value, Throwable thrown) {
            Throwable failure = value == null && thrown == null
                    ? ErrorCode.REQUEST_TIMED_OUT.because("The " + extension + " has answered null")
                    : FeliceException.unwrap(thrown);
            if (isOver.get()) {
                return;
            }
            if (thrown == null ? value != null : failure instanceof FeliceException) {
                worked();
            } else {
                failures.increment();
                failed(what, failure);
            }
            end(value, failure);
        }

        /** A call that has only waited behind others is no failure of the extension, unless none has come back. */
        private void tooLate(int limitMs) {
            if (!isOver.get()) {
                late.increment();
                Running begun = running;
                if (begun != null) {
                    begun.isCounted.set(true);
                    begun.wasGivenUp = true;
                }
                FeliceException failure = ErrorCode.REQUEST_TIMED_OUT.because(
                        "The " + extension + " has not answered " + what + " within " + limitMs + " ms");
                if (begun != null || returns.get() == returnsBefore) {
                    failed(what, failure);
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
                if (running == null) {
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

    /** Where a thread is, without the JDK's frames at its top. */
    private static Optional<String> topFrame(Thread thread) {
        StackTraceElement[] frames = thread.getStackTrace();
        return Arrays.stream(frames)
                .filter(frame -> !frame.getClassName().matches("(java|javax|jdk|sun)\\..*"))
                .findFirst()
                .or(() -> Arrays.stream(frames).findFirst())
                .map(frame -> frame.getClassName() + "." + frame.getMethodName() + "(" + frame.getFileName() + ":"
                        + frame.getLineNumber() + ")");
    }

    private void worked() {
        failuresInARow.set(0);
        if (paused) {
            paused = false;
            log.info("The {} answers again", extension);
        }
    }

    private void failed(String what, Throwable failure) {
        boolean isTooMany = failuresInARow.incrementAndGet() >= FAILURES_IN_A_ROW;
        long now = nanos.getAsLong();
        if (isTooMany) {
            pausedSince = now;
            paused = true;
        }
        if (now - warnedAt >= WARN_EVERY_NANOS) {
            warnedAt = now;
            log.warn(
                    "The {} ({}) has failed in {}{}; what needs its answer fails",
                    extension,
                    provider,
                    what,
                    isTooMany ? " too often and is not asked for " + PAUSE_MS + " ms" : "",
                    failure);
        }
    }
}
