package io.felice.coordinator;

import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Two clocks: the calendar for what is written into the log, and one that never jumps for how long somebody was silent.
 *
 * @param calendar stamps commits and states
 * @param ticker milliseconds from anywhere, never going back
 */
record Time(Clock calendar, LongSupplier ticker) {
    static Time system() {
        return new Time(Clock.systemUTC(), () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
    }

    /** Milliseconds from anywhere: for differences only. */
    long nowMs() {
        return ticker.getAsLong();
    }

    /** Milliseconds since the epoch. */
    long calendarMs() {
        return calendar.millis();
    }
}
