package io.felice.broker;

import io.felice.broker.partition.Environment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts opened logs and measures how long openings take; openings that overlap are measured as one. Any thread. */
final class OpeningTimes {
    private static final Logger log = LoggerFactory.getLogger(OpeningTimes.class);
    private static final int LEAST_LOGGED = 10;

    private final Environment environment;
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger together = new AtomicInteger();
    private final AtomicLong since = new AtomicLong();
    private final AtomicLong lastMs = new AtomicLong();

    OpeningTimes(Environment environment) {
        this.environment = environment;
    }

    void begun() {
        if (waiting.getAndIncrement() == 0) {
            since.set(environment.nanos().getAsLong());
        }
    }

    void ended() {
        opened.incrementAndGet();
        together.incrementAndGet();
        if (waiting.decrementAndGet() == 0) {
            long tookMs = (environment.nanos().getAsLong() - since.get()) / 1_000_000;
            lastMs.set(tookMs);
            int count = together.getAndSet(0);
            if (count >= LEAST_LOGGED) {
                log.info("Opened {} logs in {} ms", count, tookMs);
            }
        }
    }

    int openedCount() {
        return opened.get();
    }

    int waitingCount() {
        return waiting.get();
    }

    /** Milliseconds. */
    long lastMs() {
        return lastMs.get();
    }
}
