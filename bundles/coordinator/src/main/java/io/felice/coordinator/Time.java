package io.felice.coordinator;

import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The two clocks of the coordinator.
 *
 * @param calendar the wall clock, for times that are written to the log
 * @param ticker a monotonic clock in milliseconds from an arbitrary origin, for time-outs
 */
record Time(Clock calendar, LongSupplier ticker) {
    static Time system() {
        return new Time(Clock.systemUTC(), () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
    }

    /** Milliseconds of the monotonic clock: only differences mean something. */
    long nowMs() {
        return ticker.getAsLong();
    }

    /** Milliseconds since the epoch. */
    long calendarMs() {
        return calendar.millis();
    }
}
