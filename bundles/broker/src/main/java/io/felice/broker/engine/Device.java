package io.felice.broker.engine;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Measures how fast an engine writes. The device is slow after one write of {@link #VERY_LONG_NANOS}, or after two of
 * {@link #LONG_NANOS} within {@link #CALM_NANOS}; then appends and settles leave the I/O threads. It is fast again
 * after {@link #CALM_NANOS} without a long write. Any thread.
 */
public final class Device {
    public static final long LONG_NANOS = 50_000_000L;
    public static final long VERY_LONG_NANOS = 250_000_000L;
    public static final long CALM_NANOS = 5_000_000_000L;

    private final LongSupplier nanos;
    private final LongAdder settles = new LongAdder();
    private final LongAdder offloaded = new LongAdder();
    private volatile long slowSince;
    private volatile long lastLong;
    private volatile boolean everLong;
    private volatile boolean slow;

    Device(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** Times for how long a settle keeps the caller; what the engine does later on a thread of its own does not count. */
    public CompletionStage<Void> timed(Supplier<CompletionStage<Void>> settle) {
        settles.increment();
        long begin = nanos.getAsLong();
        try {
            return settle.get();
        } finally {
            took(begin, nanos.getAsLong());
        }
    }

    /** Appends are timed too, because an engine may write them to the device at once. */
    public void timedAppend(Runnable append) {
        long begin = nanos.getAsLong();
        try {
            append.run();
        } finally {
            took(begin, nanos.getAsLong());
        }
    }

    private void took(long begin, long end) {
        long took = end - begin;
        if (took < LONG_NANOS) {
            return;
        }
        boolean again = everLong && end - lastLong <= CALM_NANOS;
        lastLong = end;
        everLong = true;
        if (!slow && (again || took >= VERY_LONG_NANOS)) {
            slowSince = end;
            slow = true;
        }
    }

    /** True while appends and settles must not run on an I/O thread. */
    public boolean isSlow() {
        if (slow && nanos.getAsLong() - lastLong > CALM_NANOS) {
            slow = false;
        }
        return slow;
    }

    public void offloaded() {
        offloaded.increment();
    }

    public long settleCount() {
        return settles.sum();
    }

    public long offloadedCount() {
        return offloaded.sum();
    }

    /** For how long the device has been slow, in milliseconds; 0 if it is fast. */
    public long slowMs() {
        return isSlow() ? Math.max(1, (nanos.getAsLong() - slowSince) / 1_000_000) : 0;
    }
}
