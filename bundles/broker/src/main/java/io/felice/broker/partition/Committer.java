package io.felice.broker.partition;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.engine.MountedEngine;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes appended records as durable as {@code storage.durability} asks for, and reports the durable offset. A thread
 * that appends calls {@link #arrange}; the log is settled at the end of its turn, or on the engine's threads if the
 * device is slow. If the engine settles on a thread of its own, that thread reports, and one settle runs at a time: the
 * next one covers what was appended meanwhile. Any thread, except {@link #appendedTo} and {@link #truncatedTo}.
 */
final class Committer {
    private static final Logger LOG = LoggerFactory.getLogger(Committer.class);
    private static final long FINISH_SECONDS = 10;
    private static final long NANOS_PER_MS = 1_000_000;

    /** Called on any thread. */
    interface Reports {
        void durableTo(long end);

        /** True while an append waits for {@link #durableTo}, also for an offset that was reported before. */
        boolean isAwaited();

        /** A write failed, possibly for want of free space. */
        void writeFailed(Throwable cause);

        /** The log failed, but not for want of free space. */
        void failed(Throwable cause);

        /** False once the log failed or was closed. */
        boolean isOpen();
    }

    private final TopicPartition partition;
    private final PartitionLog log;
    private final MountedEngine engine;
    private final Environment environment;
    private final Supplier<TopicRules> rules;
    private final Reports reports;

    private final Runnable endOfTurn = this::settleAtEndOfTurn;
    private final AtomicLong settledTo;
    private final AtomicLong durableTo;
    private final AtomicBoolean offloading = new AtomicBoolean();
    private final AtomicBoolean flushing = new AtomicBoolean();
    /** True while the engine settles on a thread of its own. */
    private volatile boolean settling;

    private volatile Turn armed;
    private volatile long logEnd;
    private volatile long lastFlush;
    /** A flush of this log has reached this offset; the engine may have flushed more by itself. */
    private volatile long flushedTo;
    /** How often the log was truncated; what was asked for before a truncation does not count. Guarded by this. */
    private volatile int truncations;

    Committer(
            TopicPartition partition,
            PartitionLog log,
            MountedEngine engine,
            Environment environment,
            Supplier<TopicRules> rules,
            Reports reports) {
        this.partition = partition;
        this.log = log;
        this.engine = engine;
        this.environment = environment;
        this.rules = rules;
        this.reports = reports;
        this.logEnd = log.endOffset();
        this.settledTo = new AtomicLong(logEnd);
        this.durableTo = new AtomicLong(logEnd);
        this.flushedTo = log.flushedOffset();
        this.lastFlush = environment.nanos().getAsLong();
    }

    long logEnd() {
        return logEnd;
    }

    /** The offset up to which the log is known to be durable. */
    long durableEnd() {
        return durableTo.get();
    }

    /** As the log's writer. */
    void appendedTo(long end) {
        logEnd = end;
    }

    /** As the log's writer. */
    synchronized void truncatedTo(long end) {
        truncations++;
        logEnd = end;
        settledTo.set(Math.min(settledTo.get(), end));
        durableTo.set(Math.min(durableTo.get(), end));
    }

    boolean isSettled() {
        return settledTo.get() == logEnd;
    }

    /** Settles the log once at the end of the turn, however often this is called. */
    void arrange(Turn turn) {
        if (durableTo.get() >= logEnd && !reports.isAwaited()) {
            return;
        }
        if (armed == turn) {
            return;
        }
        armed = turn;
        try {
            turn.atEnd(endOfTurn);
        } catch (RuntimeException | Error noTurn) {
            LOG.error("The I/O round refused a task for its end; the log of {} is settled at once", partition, noTurn);
            settleAtEndOfTurn();
        }
    }

    private void settleAtEndOfTurn() {
        armed = null;
        if (!engine.device().isSlow()) {
            settle();
        } else if (offloading.compareAndSet(false, true)) {
            engine.device().offloaded();
            engine.execute(() -> {
                offloading.set(false);
                settle();
            });
        }
    }

    /** Does not block if the engine's appends do not. */
    void settle() {
        if (!reports.isOpen() || settling) {
            return;
        }
        int before = truncations;
        long end = logEnd;
        if (end <= settledTo.get() || rules.get().durability() == Durability.NONE) {
            settledTo(end, before);
            return;
        }
        CompletionStage<Void> settled;
        try {
            settled = engine.device().timed(() -> log.settle(end));
        } catch (RuntimeException failure) {
            reports.writeFailed(failure);
            return;
        } catch (Error accident) {
            reports.failed(accident);
            return;
        }
        if (settled == PartitionLog.DONE) {
            settledTo(end, before);
        } else {
            settling = true;
            settled.whenComplete((nothing, failure) -> settledLater(end, before, failure));
        }
    }

    private void settledLater(long end, int before, Throwable failure) {
        settling = false;
        if (failure != null) {
            endLog(FeliceException.unwrap(failure));
            return;
        }
        settledTo(end, before);
        if (logEnd > settledTo.get()) {
            settle();
        }
    }

    private void endLog(Throwable failure) {
        if (failure instanceof Error) {
            reports.failed(failure);
        } else {
            reports.writeFailed(failure);
        }
    }

    private void settledTo(long end, int before) {
        if (!passed(settledTo, end, before)) {
            return;
        }
        TopicRules now = rules.get();
        if (now.durability() == Durability.POWER) {
            flush();
        } else {
            report(end, before);
            if (now.flushMessages() < Long.MAX_VALUE && end - log.flushedOffset() >= now.flushMessages()) {
                flush();
            }
        }
    }

    private void report(long end, int before) {
        if (passed(durableTo, end, before)) {
            reports.durableTo(end);
        }
    }

    /** Raises an offset, unless the log was truncated since; then false, and nothing is known of {@code end}. */
    private synchronized boolean passed(AtomicLong offset, long end, int before) {
        if (before != truncations) {
            return false;
        }
        offset.accumulateAndGet(end, Math::max);
        return true;
    }

    /** One flush runs at a time; the next one covers what was settled meanwhile. */
    private void flush() {
        if (!flushing.compareAndSet(false, true)) {
            return;
        }
        int before = truncations;
        long end = settledTo.get();
        lastFlush = environment.nanos().getAsLong();
        flushed(end).whenComplete((nothing, failure) -> {
            flushing.set(false);
            if (failure != null) {
                reports.failed(FeliceException.unwrap(failure));
                return;
            }
            flushedTo = end;
            report(end, before);
            if (settledTo.get() > end && rules.get().durability() == Durability.POWER) {
                flush();
            }
        });
    }

    private CompletionStage<Void> flushed(long end) {
        try {
            return log.flush(end);
        } catch (RuntimeException | Error failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    void flushByTime() {
        TopicRules now = rules.get();
        if (now.flushMs() < Long.MAX_VALUE
                && (environment.nanos().getAsLong() - lastFlush) / NANOS_PER_MS >= now.flushMs()
                && reports.isOpen()
                && settledTo.get() > flushedTo) {
            engine.execute(this::flush);
        }
    }

    /** Before the close: settles, and also flushes if an append waits for it. As the log's writer. Blocks. */
    void finish() {
        settle();
        try {
            long end = logEnd;
            if (reports.isOpen() && end > settledTo.get()) {
                await(log.settle(end));
                settledTo(end, truncations);
            }
            if (reports.isOpen() && rules.get().durability() == Durability.POWER && reports.isAwaited()) {
                await(log.flush(end));
                report(end, truncations);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | RuntimeException failure) {
            LOG.warn(
                    "The log of {} was closed before its last records were durable, so its waiting appends fail: {}",
                    partition,
                    FeliceException.unwrap(failure).toString());
        }
    }

    private static void await(CompletionStage<Void> durable)
            throws InterruptedException, ExecutionException, TimeoutException {
        durable.toCompletableFuture().get(FINISH_SECONDS, TimeUnit.SECONDS);
    }
}
