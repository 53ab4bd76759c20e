package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.storage.StoreMaintenance.Work;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/** A compaction or a backup that goes on, as an operator sees it. Any thread. */
final class StoreWork implements Work {
    /** What is done; it adds to the bytes, and stops when {@link #mustGoOn} throws. */
    interface Job {
        /** @return a sentence for the operator */
        String run(StoreWork work) throws IOException;
    }

    private final String name;
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong total = new AtomicLong();
    private final CompletableFuture<String> outcome = new CompletableFuture<>();
    private volatile boolean stopped;

    StoreWork(String name) {
        this.name = name;
    }

    /** Does the job on this thread. */
    void run(Job job) {
        try {
            outcome.complete(job.run(this));
        } catch (FeliceException failure) {
            outcome.completeExceptionally(failure);
        } catch (IOException | RuntimeException | Error failure) {
            outcome.completeExceptionally(
                    KAFKA_STORAGE_ERROR.because("the " + name + " ended: " + failure.getMessage(), failure));
        }
    }

    String name() {
        return name;
    }

    void add(long bytes) {
        done.addAndGet(bytes);
    }

    void expect(long bytes) {
        total.addAndGet(bytes);
    }

    void stop() {
        stopped = true;
    }

    void mustGoOn() {
        if (stopped) {
            throw KAFKA_STORAGE_ERROR.because("the " + name + " was stopped");
        }
    }

    boolean isDone() {
        return outcome.isDone();
    }

    @Override
    public long doneBytes() {
        return done.get();
    }

    @Override
    public long totalBytes() {
        return total.get();
    }

    @Override
    public CompletionStage<String> outcome() {
        return outcome;
    }
}
