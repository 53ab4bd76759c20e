package io.felice.broker.partition;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.engine.MountedEngine;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes appended records as durable as the topic's {@code storage.durability} asks for, and reports the offset up to which
 * they are. Whoever appended arranges for it at the end of its turn. Any thread, except {@link #appendedTo}. Settling may
 * block for as long as the device is slow; it leaves the I/O threads then.
 */
final class Committer {
    private static final Logger LOG = LoggerFactory.getLogger(Committer.class);
    private static final long FLUSH_SECONDS = 10;
    private static final long NANOS_PER_MS = 1_000_000;

    /** Learns how far the log is durable, and that writing it failed. */
    interface Reports {
        void durableTo(long end);

        /** True while somebody waits for {@link #durableTo}, also for an offset that was reported before. */
        boolean isAwaited();

        /** A write failed, perhaps for want of free space. */
        void writeFailed(Throwable cause);

        /** The log failed otherwise: free space would not help. */
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
    private volatile Turn armed;
    private volatile long logEnd;
    private volatile long lastFlush;

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
        this.lastFlush = environment.nanos().getAsLong();
    }

    /** Where the log ends; moves when all batches of an append are in it. */
    long logEnd() {
        return logEnd;
    }

    /** Up to where the log is known to be durable. */
    long durableEnd() {
        return durableTo.get();
    }

    /** As the writer: all batches of an append are in the log. */
    void appendedTo(long end) {
        logEnd = end;
    }

    /** As the writer: the log was cut off at {@code end}. Nothing settles meanwhile what is gone. */
    void truncatedTo(long end) {
        logEnd = end;
        settledTo.set(end);
        durableTo.set(Math.min(durableTo.get(), end));
    }

    boolean isSettled() {
        return settledTo.get() == logEnd;
    }

    /** Sees to it that what was appended is settled at the end of the turn, once however often this is called. */
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
            LOG.error("The I/O round takes no task for its end; {} settles at once", partition, noTurn);
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

    /** Settles what was appended so far, on this thread, and reports it. */
    void settle() {
        if (!reports.isOpen()) {
            return;
        }
        long end = logEnd;
        TopicRules now = rules.get();
        if (end > settledTo.get() && now.durability() != Durability.NONE) {
            try {
                engine.device().timed(log::settle);
            } catch (RuntimeException failure) {
                reports.writeFailed(failure);
                return;
            } catch (Error accident) {
                reports.failed(accident);
                return;
            }
        }
        settledTo.accumulateAndGet(end, Math::max);
        if (now.durability() == Durability.POWER) {
            flush();
        } else {
            report(end);
            if (now.flushMessages() < Long.MAX_VALUE && end - log.flushedOffset() >= now.flushMessages()) {
                flush();
            }
        }
    }

    private void report(long end) {
        durableTo.accumulateAndGet(end, Math::max);
        reports.durableTo(end);
    }

    /** Flushes what is settled. One flush runs at a time; the next one takes along what was settled meanwhile. */
    private void flush() {
        if (!flushing.compareAndSet(false, true)) {
            return;
        }
        long end = settledTo.get();
        lastFlush = environment.nanos().getAsLong();
        flushed(end).whenComplete((nothing, failure) -> {
            flushing.set(false);
            if (failure != null) {
                reports.failed(FeliceException.unwrap(failure));
                return;
            }
            report(end);
            if (settledTo.get() > end && rules.get().durability() == Durability.POWER) {
                flush();
            }
        });
    }

    private CompletionStage<Void> flushed(long end) {
        try {
            return log.flush(end);
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    /** Flushes if the topic's {@code flush.ms} is over. */
    void flushByTime() {
        TopicRules now = rules.get();
        if (now.flushMs() < Long.MAX_VALUE
                && (environment.nanos().getAsLong() - lastFlush) / NANOS_PER_MS >= now.flushMs()
                && reports.isOpen()
                && settledTo.get() > log.flushedOffset()) {
            engine.execute(this::flush);
        }
    }

    /** Before the close: settles, and flushes if an answer waits for it. Blocks. */
    void finish() {
        settle();
        if (rules.get().durability() == Durability.POWER && reports.isAwaited() && reports.isOpen()) {
            long end = logEnd;
            try {
                log.flush(end).toCompletableFuture().get(FLUSH_SECONDS, TimeUnit.SECONDS);
                report(end);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            } catch (Exception failure) {
                LOG.warn("{} could not be flushed before it closed: {}", partition, failure.toString());
            }
        }
    }
}
