package io.felice.broker;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Knows whether the cluster counts this broker as alive, as far as the broker can say. If the broker has lost its session, or
 * its process was paused, other brokers may lead its partitions already. Then it must not answer an append that no other
 * replica has.
 *
 * <p>The store says that it is connected until it has heard nothing for two thirds of the session's timeout. The fence falls
 * before the last third is over. Any thread; {@link #beat} is called by a timer.
 */
final class SelfFence {
    /** How often {@link #beat} is called. */
    static final long BEAT_MS = 250;

    private static final int PARTS_OF_SESSION = 4;
    private static final long NEVER_LESS_NANOS = Duration.ofMillis(1_500).toNanos();

    private final LongSupplier nanos;
    private volatile long lastBeat;
    private volatile long lastConnected;
    private volatile long confirmedFrom;
    private volatile long patience;

    /** @param nanos a clock that never goes back, and goes on while the process is paused */
    SelfFence(LongSupplier nanos) {
        this.nanos = nanos;
        long now = nanos.getAsLong();
        lastBeat = now;
        lastConnected = now;
        confirmedFrom = now;
        sessionIs(Duration.ofSeconds(18));
    }

    /** @param session after so much silence the cluster counts this broker as dead */
    void sessionIs(Duration session) {
        patience = Math.max(NEVER_LESS_NANOS, session.toNanos() / PARTS_OF_SESSION);
    }

    /** After a pause the store may still say that it is connected: what it says counts again after some time. */
    void beat(boolean isConnected) {
        long now = nanos.getAsLong();
        if (now - lastBeat > patience) {
            confirmedFrom = now + patience;
        }
        lastBeat = now;
        if (isConnected) {
            lastConnected = now;
        }
    }

    /** True if this broker may acknowledge a record that only its own log has. */
    boolean mayAcknowledgeAlone() {
        long now = nanos.getAsLong();
        return now - lastBeat <= patience && now - lastConnected <= patience && now - confirmedFrom >= 0;
    }
}
