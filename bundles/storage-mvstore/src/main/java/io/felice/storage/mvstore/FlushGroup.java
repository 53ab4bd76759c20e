package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.storage.PartitionLog;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;

/**
 * Lets the logs of a shard survive a power cut: one fsync of the newest file answers everybody who asked before it began.
 * Older files were flushed when they got a successor.
 */
final class FlushGroup {
    private final Generations generations;
    private final StoreResources shared;

    // Guarded by this.
    private Map<StoredLog, CompletableFuture<Void>> waiters = new LinkedHashMap<>();
    private boolean flushIsComing;

    FlushGroup(Generations generations, StoreResources shared) {
        this.generations = generations;
        this.shared = shared;
    }

    /** What is committed of the log survives a power cut when the stage completes. */
    CompletionStage<Void> flush(StoredLog log, long upTo) {
        if (log.flushedOffset() >= upTo) {
            return PartitionLog.DONE;
        }
        CompletableFuture<Void> done;
        boolean first;
        synchronized (this) {
            done = waiters.computeIfAbsent(log, unused -> new CompletableFuture<>());
            first = !flushIsComing;
            flushIsComing = true;
        }
        if (first) {
            try {
                shared.flusher().execute(this::flushForAll);
            } catch (RejectedExecutionException stopped) {
                flushForAll();
            }
        }
        return done;
    }

    private synchronized Map<StoredLog, CompletableFuture<Void>> takeWaiters() {
        Map<StoredLog, CompletableFuture<Void>> taken = waiters;
        waiters = new LinkedHashMap<>();
        flushIsComing = false;
        return taken;
    }

    private void flushForAll() {
        Map<StoredLog, CompletableFuture<Void>> answered = takeWaiters();
        Map<StoredLog, Long> ends = new HashMap<>();
        answered.keySet().forEach(log -> ends.put(log, log.settledOffset()));
        try {
            flushNow();
        } catch (IOException failure) {
            FeliceException reason = KAFKA_STORAGE_ERROR.because(failure.getMessage(), failure);
            answered.forEach((log, done) -> {
                log.die(reason);
                done.completeExceptionally(reason);
            });
            return;
        }
        ends.forEach(StoredLog::flushedTo);
        answered.values().forEach(done -> done.complete(null));
    }

    /** Everything that was committed before the call survives a power cut on return. Blocks. */
    void flushNow() throws IOException {
        StoreFile newest = generations.newest();
        if (newest != null) {
            newest.sync();
            shared.counters().fsyncs.increment();
        }
    }
}
