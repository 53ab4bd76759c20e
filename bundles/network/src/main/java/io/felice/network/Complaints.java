package io.felice.network;

import org.slf4j.Logger;

/** Warnings that clients can cause: at most one a second, so that nobody fills the disk with them. Any thread. */
final class Complaints {
    private static final long INTERVAL_NANOS = 1_000_000_000L;

    private final Logger log;
    private long silentUntil = System.nanoTime();
    private int suppressed;

    Complaints(Logger log) {
        this.log = log;
    }

    synchronized void warn(String sentence) {
        long now = System.nanoTime();
        if (now - silentUntil < 0) {
            suppressed++;
            return;
        }
        silentUntil = now + INTERVAL_NANOS;
        log.warn("{}{}", sentence, suppressed == 0 ? "" : " (and " + suppressed + " more such closings)");
        suppressed = 0;
    }
}
