package io.felice.network;

import java.util.concurrent.TimeUnit;

/**
 * Spreads new connections over time: on average so many a second, and after a quiet second so many at once. Guarded by
 * its owner's monitor.
 */
final class CreationRate {
    private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** When the connections that were let through so far would all have come, had they come evenly. */
    private long evenly;

    CreationRate(long now) {
        evenly = now;
    }

    /** How many nanoseconds the next connection has to wait; 0 if none. */
    long waitNanos(long now, int perSecond) {
        return Math.max(0, evenly + interval(perSecond) - SECOND_NANOS - now);
    }

    /** One more connection is let through. */
    void take(long now, int perSecond) {
        evenly = (evenly - now > 0 ? evenly : now) + interval(perSecond);
    }

    private static long interval(int perSecond) {
        return SECOND_NANOS / perSecond;
    }
}
