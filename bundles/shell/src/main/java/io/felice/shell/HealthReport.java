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
 * Reports whether the node serves: to the launcher at each change, and to the log when a change has lasted for three
 * seconds. Shorter changes are not logged, because a bundle that is updated stops for a moment. While a start waits,
 * the log says every five seconds what it waits for.
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

    /** @param launcher gets the troubles after each change */
    HealthReport(LongSupplier nanos, Consumer<List<Trouble>> launcher) {
        this.nanos = nanos;
        this.launcher = launcher;
        this.loggedAt = nanos.getAsLong();
    }

    /** Called periodically with the present troubles. */
    void update(List<Trouble> now) {
        long time = nanos.getAsLong();
        if (!now.equals(told)) {
            told = now;
            changedAt = time;
            launcher.accept(now);
        }
        if (now.isEmpty() ? !now.equals(logged) : mustBeLogged(now, time)) {
            log(now);
            logged = now;
            loggedAt = time;
        }
    }

    private boolean mustBeLogged(List<Trouble> now, long time) {
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
