package io.felice.broker.partition;

import java.util.function.DoubleSupplier;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Lets a thread read and write only so many bytes per second: the thread waits when it is ahead. A changed rate is in force
 * within a tenth of a second. For one thread.
 */
public final class Pace {
    /** No device is as fast as that. */
    private static final double NO_LIMIT = 1e15;

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double LONGEST_NAP_NANOS = 1e8;
    /** A thread that had nothing to do does not make up for more than this. */
    private static final double MOST_SAVED_NANOS = 1e9;

    private final DoubleSupplier bytesPerSecond;
    private final LongSupplier nanos;
    private final LongConsumer nap;
    private final Runnable mustGoOn;
    private double owedBytes;
    private long lastLook;

    /**
     * @param nanos a clock that never goes back, in nanoseconds
     * @param nap lets the thread wait for so many nanoseconds
     * @param mustGoOn is called before each wait, and throws what ends it
     */
    public Pace(DoubleSupplier bytesPerSecond, LongSupplier nanos, LongConsumer nap, Runnable mustGoOn) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanos = nanos;
        this.nap = nap;
        this.mustGoOn = mustGoOn;
        this.lastLook = nanos.getAsLong();
    }

    /** Call after so many bytes were read or written. */
    public void moved(long bytes) {
        owedBytes += bytes;
        double rate = pay();
        while (owedBytes > 0) {
            mustGoOn.run();
            nap.accept((long) Math.min(LONGEST_NAP_NANOS, 1 + owedBytes / rate * NANOS_PER_SECOND));
            rate = pay();
        }
    }

    /** Counts the time since the last call; returns the rate. */
    private double pay() {
        double rate = bytesPerSecond.getAsDouble();
        if (rate > NO_LIMIT) {
            owedBytes = 0;
            return rate;
        }
        long now = nanos.getAsLong();
        double seconds = Math.min(MOST_SAVED_NANOS, now - lastLook) / NANOS_PER_SECOND;
        lastLook = now;
        owedBytes = Math.max(owedBytes - rate * seconds, -rate);
        return rate;
    }
}
