package io.felice.api;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Logs failures that may happen with every request, without filling the log. The first failure of a cause is logged
 * with its stack trace. The later failures of the same cause are counted; at most once a minute one of them is logged
 * in one line, with the count. A cause without a failure for ten minutes counts as new. Any thread.
 */
public final class FoldedErrors {
    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long FORGOTTEN_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final int MOST_CAUSES = 100;

    private final Logger log;
    private final LongSupplier nanos;
    private final Map<String, Repeats> byCause = new LinkedHashMap<>();

    public FoldedErrors(Logger log) {
        this(log, System::nanoTime);
    }

    /** @param nanos the clock, in nanoseconds, as {@link System#nanoTime} */
    public FoldedErrors(Logger log, LongSupplier nanos) {
        this.log = log;
        this.nanos = nanos;
    }

    /** The failures of one cause since its last log line. The times are values of the clock. */
    private static final class Repeats {
        private long loggedAt;
        private long lastAt;
        private int count;
    }

    /** @param sentence what failed; it may name the request, because it takes no part in the cause */
    public void error(String sentence, Throwable failure) {
        int repeats = repeatsToLog(causeOf(failure), nanos.getAsLong());
        if (repeats == 0) {
            log.error("{}", sentence, failure);
        } else if (repeats > 0) {
            log.error("{}: {} (one of {} since the last line of this cause)", sentence, failure, repeats);
        }
    }

    /**
     * @return the number of failures to log in one line; 0 if the failure is the first of its cause; -1 if the failure
     *     is only counted
     */
    private synchronized int repeatsToLog(String cause, long now) {
        Repeats known = byCause.get(cause);
        if (known == null || now - known.lastAt >= FORGOTTEN_NANOS) {
            begin(cause, now);
            return 0;
        }
        known.lastAt = now;
        known.count++;
        if (now - known.loggedAt < INTERVAL_NANOS) {
            return -1;
        }
        int repeats = known.count;
        known.loggedAt = now;
        known.count = 0;
        return repeats;
    }

    private void begin(String cause, long now) {
        if (byCause.size() >= MOST_CAUSES) {
            byCause.remove(byCause.keySet().iterator().next());
        }
        Repeats first = new Repeats();
        first.loggedAt = now;
        first.lastAt = now;
        byCause.put(cause, first);
    }

    /** A cause is the class of the innermost exception and the line that threw it. Messages are ignored. */
    private static String causeOf(Throwable failure) {
        Throwable root = failure;
        for (int depth = 0; root.getCause() != null && depth < MOST_CAUSES; depth++) {
            root = root.getCause();
        }
        StackTraceElement[] stack = root.getStackTrace();
        return root.getClass().getName() + (stack.length == 0 ? "" : " at " + stack[0]);
    }
}
