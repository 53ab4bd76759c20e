package io.felice.cluster.zookeeper;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs that ZooKeeper is away: one line at most per minute, however often the connection is tried. One thread. */
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

    /** From now on there is no connection, unless there was none before. */
    void begins() {
        if (!isAway) {
            isAway = true;
            sinceNanos = nanoTime.getAsLong();
        }
    }

    /** The connection was there and is lost, or cannot be made. */
    void say(String address, String reason) {
        log(address, reason);
    }

    /** There is still no connection. A connection that is being made gets a moment. */
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

    /** How many lines were logged so far. */
    long lines() {
        return lines;
    }

    /** There is a connection. True if its absence was logged, so that its return should be logged too. */
    boolean ends() {
        boolean wasSaid = isSaid;
        isAway = false;
        isSaid = false;
        return wasSaid;
    }
}
