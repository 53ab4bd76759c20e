package io.felice.broker;

import io.felice.api.FeliceException;
import io.felice.api.Turn;
import io.felice.api.storage.PartitionLog;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes what was appended as durable as the topic asks for, and then moves the high watermark: with one replica that is
 * what commits it. Belongs to no owner: whoever appended arranges for it at the end of its turn. Any thread, except
 * {@link #appendedTo}; settling may block for as long as the device is slow, and leaves the I/O threads then.
 */
final class Committer {
    private static final Logger logger = LoggerFactory.getLogger(Committer.class);
    private static final long FLUSH_SECONDS = 10;

    private final Leadership leadership;
    private final PartitionLog log;
    private final MountedEngine engine;
    private final Node node;
    private final HighWatermark highWatermark;

    private final Runnable endOfTurn = this::settleAtEndOfTurn;
    private final AtomicLong settledTo;
    private final AtomicBoolean offloading = new AtomicBoolean();
    private final AtomicBoolean flushing = new AtomicBoolean();
    private volatile Turn armed;
    private volatile long logEnd;
    private volatile long lastFlushMs;

    Committer(Leadership leadership, PartitionLog log, MountedEngine engine, Node node, HighWatermark highWatermark) {
        this.leadership = leadership;
        this.log = log;
        this.engine = engine;
        this.node = node;
        this.highWatermark = highWatermark;
        this.logEnd = log.endOffset();
        this.settledTo = new AtomicLong(logEnd);
        this.lastFlushMs = node.clock().millis();
    }

    /** Where the log ends; moves when all of an append is in it. */
    long logEnd() {
        return logEnd;
    }

    /** As the writer: all of an append is in the log, and waits for the high watermark already. */
    void appendedTo(long end) {
        logEnd = end;
    }

    boolean isSettled() {
        return settledTo.get() == logEnd;
    }

    /** Sees to it that what was appended is settled: at the end of the turn, once however often it is asked for. */
    void arrange(Turn turn) {
        if (logEnd <= highWatermark.offset() && !highWatermark.isAwaited()) {
            return;
        }
        if (armed == turn) {
            return;
        }
        armed = turn;
        try {
            turn.atEnd(endOfTurn);
        } catch (RuntimeException | Error noTurn) {
            logger.error("The end of a turn is not to be had; {} settles at once", leadership.partition(), noTurn);
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

    /** Settles what was appended so far, on this thread, and answers what waited for it. */
    void settle() {
        if (!leadership.isLeading()) {
            return;
        }
        long end = logEnd;
        Rules now = leadership.rules();
        if (end > settledTo.get() && now.durability() != Durability.NONE) {
            try {
                engine.device().timed(log::settle);
            } catch (RuntimeException failure) {
                leadership.writeFailed(failure, 0);
                return;
            } catch (Error accident) {
                leadership.die(accident);
                return;
            }
        }
        settledTo.accumulateAndGet(end, Math::max);
        if (now.durability() == Durability.POWER) {
            flush();
        } else {
            highWatermark.advanceTo(end);
            if (now.flushMessages() < Long.MAX_VALUE && end - log.flushedOffset() >= now.flushMessages()) {
                flush();
            }
        }
    }

    /** Flushes what is settled; one flush at a time, which takes along what was settled meanwhile in the next. */
    private void flush() {
        if (!flushing.compareAndSet(false, true)) {
            return;
        }
        long end = settledTo.get();
        lastFlushMs = node.clock().millis();
        flushed(end).whenComplete((nothing, failure) -> {
            flushing.set(false);
            if (failure != null) {
                leadership.die(FeliceException.unwrap(failure));
                return;
            }
            highWatermark.advanceTo(end);
            if (settledTo.get() > end && leadership.rules().durability() == Durability.POWER) {
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

    /** Flushes if the topic wants that by time and the time has come. */
    void flushByTime() {
        Rules now = leadership.rules();
        if (now.flushMs() < Long.MAX_VALUE
                && node.clock().millis() - lastFlushMs >= now.flushMs()
                && leadership.isLeading()
                && settledTo.get() > log.flushedOffset()) {
            engine.execute(this::flush);
        }
    }

    /** Before the end: answers all that was accepted. Blocks. */
    void finish() {
        settle();
        if (leadership.rules().durability() == Durability.POWER && leadership.isLeading()) {
            long end = logEnd;
            try {
                log.flush(end).toCompletableFuture().get(FLUSH_SECONDS, TimeUnit.SECONDS);
                highWatermark.advanceTo(end);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            } catch (Exception failure) {
                logger.warn("{} could not be flushed: {}", leadership.partition(), failure.toString());
            }
        }
    }
}
