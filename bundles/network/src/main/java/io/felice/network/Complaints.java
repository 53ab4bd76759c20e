package io.felice.network;

import org.slf4j.Logger;

/**
 * Logs warnings and errors that clients can cause, at most one line a second of each kind with the number of lines left
 * out: a client, or a handler that fails at every request, cannot fill the disk. Any thread.
 */
final class Complaints {
    private static final long INTERVAL_NANOS = 1_000_000_000L;

    private final Logger log;
    private final Pause warnings = new Pause();
    private final Pause errors = new Pause();

    Complaints(Logger log) {
        this.log = log;
    }

    void warn(String sentence) {
        int leftOut = warnings.endedAfter();
        if (leftOut >= 0) {
            log.warn("{}{}", sentence, more(leftOut));
        }
    }

    void error(String sentence, Throwable accident) {
        int leftOut = errors.endedAfter();
        if (leftOut >= 0) {
            log.error("{}{}", sentence, more(leftOut), accident);
        }
    }

    private static String more(int leftOut) {
        return leftOut == 0 ? "" : " (and " + leftOut + " like it before)";
    }

    /** The silence after a line. */
    private static final class Pause {
        private long until = System.nanoTime();
        private int leftOut;

        /** @return how many were left out in the pause that ended; -1 while it lasts */
        synchronized int endedAfter() {
            long now = System.nanoTime();
            if (now - until < 0) {
                leftOut++;
                return -1;
            }
            until = now + INTERVAL_NANOS;
            int before = leftOut;
            leftOut = 0;
            return before;
        }
    }
}
