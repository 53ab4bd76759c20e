package io.felice.api;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Logs failures that may come again with every request. The first of a cause is logged with its stack. Those that follow
 * are counted, and one line a minute says how many there were. Any thread.
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

    public FoldedErrors(Logger log, LongSupplier nanos) {
        this.log = log;
        this.nanos = nanos;
    }

    /** What came of one cause since the last line about it. */
    private static final class Repeats {
        private long loggedAt;
        private long lastAt;
        private int count;
    }

    /** @param sentence says what failed; it may name the request */
    public void error(String sentence, Throwable failure) {
        int repeats = repeatsToLog(causeOf(failure), nanos.getAsLong());
        if (repeats == 0) {
            log.error("{}", sentence, failure);
        } else if (repeats > 0) {
            log.error("{}: {} (one of {} since the last line of this cause)", sentence, failure, repeats);
        }
    }

    /** @return 0 if this is the first of its cause, -1 if it is only counted */
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

    /** The same exception from the same place is the same cause, whatever its message says. */
    private static String causeOf(Throwable failure) {
        Throwable root = failure;
        for (int depth = 0; root.getCause() != null && depth < MOST_CAUSES; depth++) {
            root = root.getCause();
        }
        StackTraceElement[] stack = root.getStackTrace();
        return root.getClass().getName() + (stack.length == 0 ? "" : " at " + stack[0]);
    }
}
