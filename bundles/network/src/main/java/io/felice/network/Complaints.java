package io.felice.network;

import io.felice.api.FoldedErrors;
import org.slf4j.Logger;

/**
 * Logs warnings and errors that clients can cause, and limits their lines, so that neither a client nor a handler that
 * fails at every request can fill the disk. Warnings are at most one line a second, with the number of lines left out.
 * Errors are folded by their cause. Any thread.
 */
final class Complaints {
    private static final long INTERVAL_NANOS = 1_000_000_000L;

    private final Logger log;
    private final Pause warnings = new Pause();
    private final FoldedErrors errors;

    Complaints(Logger log) {
        this.log = log;
        this.errors = new FoldedErrors(log);
    }

    void warn(String sentence) {
        int leftOut = warnings.endedAfter();
        if (leftOut >= 0) {
            log.warn("{}{}", sentence, more(leftOut));
        }
    }

    void error(String sentence, Throwable accident) {
        errors.error(sentence, accident);
    }

    private static String more(int leftOut) {
        return leftOut == 0 ? "" : " (and " + leftOut + " like it before)";
    }

    /** The pause after a line. */
    private static final class Pause {
        private long until = System.nanoTime();
        private int leftOut;

        /** @return the number of lines left out in the last pause; -1 during a pause */
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
