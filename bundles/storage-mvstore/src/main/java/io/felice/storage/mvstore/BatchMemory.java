package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The memory that the batches of all logs may use: one half for batches that no commit has written, the other for settled
 * ones that are kept for readers. Any thread.
 */
final class BatchMemory {
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long MOST_LOOKS = 60_000;

    private final long half;
    private final AtomicLong uncommitted = new AtomicLong();
    private final AtomicLong kept = new AtomicLong();

    BatchMemory(long bytes) {
        this.half = Math.max(1, bytes / 2);
    }

    /** Takes memory for a batch that is appended; waits for commits while there is none. */
    void take(int bytes, Runnable commitNow) {
        for (long looks = 0; !tryTake(bytes); looks++) {
            if (looks > MOST_LOOKS) {
                throw KAFKA_STORAGE_ERROR.because("No commit made room in memory for " + bytes + " bytes in "
                        + TimeUnit.NANOSECONDS.toSeconds(looks * LOOK_NANOS) + " s");
            }
            commitNow.run();
            LockSupport.parkNanos(this, LOOK_NANOS);
        }
    }

    private boolean tryTake(int bytes) {
        long now = uncommitted.addAndGet(bytes);
        if (now <= half || now == bytes) {
            return true;
        }
        uncommitted.addAndGet(-bytes);
        return false;
    }

    void giveBack(long bytes) {
        uncommitted.addAndGet(-bytes);
    }

    /** Batches that were committed stay in memory for readers. */
    void keep(long bytes) {
        uncommitted.addAndGet(-bytes);
        kept.addAndGet(bytes);
    }

    void drop(long bytes) {
        kept.addAndGet(-bytes);
    }

    boolean keepsMore() {
        return kept.get() < half;
    }

    long uncommittedBytes() {
        return uncommitted.get();
    }

    long keptBytes() {
        return kept.get();
    }

    long limit() {
        return 2 * half;
    }
}
