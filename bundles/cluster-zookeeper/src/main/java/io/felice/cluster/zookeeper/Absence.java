package io.felice.cluster.zookeeper;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs that ZooKeeper does not answer, at most once a minute. One thread. */
final class Absence {
    private static final Logger log = LoggerFactory.getLogger(Absence.class);
    private static final long SAY_EVERY_NANOS = Duration.ofMinutes(1).toNanos();
    private static final long MAKING_NANOS = Duration.ofSeconds(5).toNanos();

    private final LongSupplier nanoTime;
    private boolean isAway;
    private boolean isSaid;
    private long sinceNanos;
    private long saidNanos;
    private long lines;

    Absence(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.saidNanos = nanoTime.getAsLong() - SAY_EVERY_NANOS;
    }

    /** Starts the time without a connection, unless it has started already. */
    void begins() {
        if (!isAway) {
            isAway = true;
            sinceNanos = nanoTime.getAsLong();
        }
    }

    void say(String address, String reason) {
        log(address, reason);
    }

    /**
     * Logs that there is still no connection. Logs nothing in the first five seconds, in which a connection may still
     * be made.
     */
    void sayStill(String address) {
        if (nanoTime.getAsLong() - sinceNanos >= MAKING_NANOS) {
            log(address, "it does not answer");
        }
    }

    private void log(String address, String reason) {
        long now = nanoTime.getAsLong();
        if (now - saidNanos < SAY_EVERY_NANOS) {
            return;
        }
        saidNanos = now;
        isSaid = true;
        lines++;
        long seconds = Duration.ofNanos(now - sinceNanos).toSeconds();
        log.warn(
                "ZooKeeper at {} is away{}: {}. Partitions go on with the leaders that they have; topics, configs and"
                        + " leaders cannot change until ZooKeeper is back",
                address,
                seconds == 0 ? "" : " for " + seconds + " s",
                reason);
    }

    long lines() {
        return lines;
    }

    /**
     * Ends the time without a connection.
     *
     * @return true if the absence was logged, so that the caller logs the return too
     */
    boolean ends() {
        boolean wasSaid = isSaid;
        isAway = false;
        isSaid = false;
        return wasSaid;
    }
}
