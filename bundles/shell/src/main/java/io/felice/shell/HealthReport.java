package io.felice.shell;

import io.felice.api.status.Trouble;
import io.felice.api.status.Trouble.Extent;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the launcher at once, and the log when it has lasted, how far the node serves. A bundle that is replaced is away
 * for a moment, which is not worth a line of the log. While a start waits, the log says every few seconds what for.
 *
 * <p>One thread.
 */
final class HealthReport {
    private static final Logger log = LoggerFactory.getLogger(HealthReport.class);
    private static final long LASTING_NANOS = 3_000_000_000L;
    private static final long REMINDER_NANOS = 5_000_000_000L;

    private final LongSupplier nanos;
    private final Consumer<List<Trouble>> launcher;

    private List<Trouble> told;
    private List<Trouble> logged;
    private long changedAt;
    private long loggedAt;
    private boolean hasServed;

    /** @param launcher is told of every change */
    HealthReport(LongSupplier nanos, Consumer<List<Trouble>> launcher) {
        this.nanos = nanos;
        this.launcher = launcher;
        this.loggedAt = nanos.getAsLong();
    }

    /** The troubles as they are now; called again and again. */
    void update(List<Trouble> now) {
        long time = nanos.getAsLong();
        if (!now.equals(told)) {
            told = now;
            changedAt = time;
            launcher.accept(now);
        }
        if (now.isEmpty() ? !now.equals(logged) : isWorthALine(now, time)) {
            log(now);
            logged = now;
            loggedAt = time;
        }
    }

    private boolean isWorthALine(List<Trouble> now, long time) {
        if (!hasServed && isOfNode(now)) {
            return time - loggedAt >= REMINDER_NANOS;
        }
        return !now.equals(logged) && time - changedAt >= LASTING_NANOS;
    }

    private void log(List<Trouble> now) {
        if (now.isEmpty()) {
            log.info("Ready: every part of the node serves");
        } else if (!isOfNode(now)) {
            log.warn("The node serves in part. {}", sentences(now));
        } else if (hasServed) {
            log.error("The node does not serve. {}", sentences(now));
        } else {
            log.info("The start waits. {}", sentences(now));
        }
        hasServed |= !isOfNode(now);
    }

    private static boolean isOfNode(List<Trouble> troubles) {
        return troubles.stream().anyMatch(trouble -> trouble.extent() == Extent.NODE);
    }

    private static String sentences(List<Trouble> troubles) {
        return troubles.stream().map(trouble -> trouble.reason() + ".").collect(Collectors.joining(" "));
    }
}
