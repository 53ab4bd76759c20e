package io.felice.storage.log;

import io.felice.api.storage.PartitionLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Flushes a log's files to the disk, so that its batches survive a power cut. One fsync completes all requests that
 * were made before it began (group commit). Fsyncs run on the engine's flush threads, under the lock {@code flushing}.
 * This object's monitor guards the list of waiting requests.
 */
final class LogFlusher {
    private final LogResources shared;
    private final LogState state;
    private final PartitionDirectory directory;
    private final LogWriter writer;
    private final ReentrantLock flushing;

    private List<CompletableFuture<Void>> waiters = new ArrayList<>();
    private boolean flushQueued;

    LogFlusher(LogResources shared, LogState state, PartitionDirectory directory, LogWriter writer, LogLocks locks) {
        this.shared = shared;
        this.state = state;
        this.directory = directory;
        this.writer = writer;
        this.flushing = locks.flushing();
    }

    CompletionStage<Void> flush(long upTo) {
        if (state.reasonUnusable() != null) {
            return CompletableFuture.failedStage(state.reasonUnusable());
        }
        if (state.flushed() >= Math.min(upTo, state.end())) {
            return PartitionLog.DONE;
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        synchronized (this) {
            waiters.add(done);
        }
        flushSoon();
        return done;
    }

    void flushSoon() {
        synchronized (this) {
            if (flushQueued) {
                return;
            }
            flushQueued = true;
        }
        try {
            shared.flusher().execute(this::flushForAll);
        } catch (RejectedExecutionException stopped) {
            flushForAll();
        }
    }

    private void flushForAll() {
        List<CompletableFuture<Void>> answered = takeWaiters();
        try {
            flushNow();
            answered.forEach(waiter -> waiter.complete(null));
        } catch (RuntimeException | Error failure) {
            answered.forEach(waiter -> waiter.completeExceptionally(failure));
        }
    }

    private synchronized List<CompletableFuture<Void>> takeWaiters() {
        List<CompletableFuture<Void>> taken = waiters;
        waiters = new ArrayList<>();
        flushQueued = false;
        return taken;
    }

    /** Fails the waiting requests, when the log is retired. */
    void fail(RuntimeException reason) {
        takeWaiters().forEach(waiter -> waiter.completeExceptionally(reason));
    }

    /** On return all batches appended before the call survive a power cut. */
    void flushNow() {
        writer.settle();
        flushing.lock();
        try {
            state.mustBeUsable();
            flushSettled();
        } catch (IOException failure) {
            throw state.fail(failure);
        } catch (UncheckedIOException failure) {
            throw state.fail(failure.getCause());
        } finally {
            flushing.unlock();
        }
    }

    private void flushSettled() throws IOException {
        LogState.PendingFlush pending = state.pendingFlush();
        for (LogState.Unforced unforced : pending.segments()) {
            force(unforced.segment(), unforced.bytes());
        }
        if (!pending.segments().isEmpty()) {
            directory.makeDurable();
        }
        state.flushedTo(pending.upTo());
        directory.noteRecoveryPoint(state.flushed());
    }

    private void force(SegmentFile segment, long bytes) throws IOException {
        segment.file.enter();
        try {
            if (!segment.isRetired()) {
                segment.persistIndex();
                directory.sync(() -> shared.files().force(segment.file.channel(false)));
                shared.counters().fsyncs.increment();
                segment.forcedTo(bytes);
            }
        } catch (IOException failure) {
            if (!segment.isRetired()) {
                throw failure;
            }
        } finally {
            segment.file.leave();
        }
    }
}
