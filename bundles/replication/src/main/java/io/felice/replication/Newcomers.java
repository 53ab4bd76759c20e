package io.felice.replication;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * What a {@link Fetcher} leaves to a second fetcher, while the leader keeps the request of the first one: partitions whose
 * leader has just changed, so that acknowledgements of producers wait for them. They come back before the next request of the
 * first fetcher is sent. Used by the thread of the first fetcher, except {@link #fetcher}.
 */
final class Newcomers {
    /** How long a newcomer waits for the answer to a request that is under way. */
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final long LONGEST_MS = 500;

    private final Supplier<Fetcher> another;
    /** Null if no partition is left to a second fetcher. */
    private volatile Fetcher second;

    private long waitingSince;
    private boolean isTaking;
    /** True until the next request is sent, which may be later. */
    private boolean isTaken;

    /** @param another makes a second fetcher, which is not started */
    Newcomers(Supplier<Fetcher> another) {
        this.another = another;
    }

    /** The second fetcher; null if there is none. Any thread. */
    Fetcher fetcher() {
        return second;
    }

    /**
     * How long to wait while a request is under way, in milliseconds; 0 if newcomers have waited for long enough: then there
     * is a second fetcher.
     *
     * @param areWaiting true if there are newcomers
     */
    long patience(boolean areWaiting) {
        if (!areWaiting) {
            waitingSince = 0;
            return LONGEST_MS;
        }
        long now = System.nanoTime();
        if (waitingSince == 0) {
            waitingSince = now;
        }
        long left = waitingSince + PATIENCE_NANOS - now;
        if (left > 0) {
            return 1 + TimeUnit.NANOSECONDS.toMillis(left);
        }
        if (second == null) {
            second = another.get();
            second.start();
        }
        return 0;
    }

    /** True while the second fetcher gives its partitions back, for which the next request waits. */
    boolean areComingBack() {
        Fetcher others = second;
        if (others != null && !isTaking && !isTaken) {
            isTaking = true;
            others.giveBack();
        }
        return isTaking;
    }

    /** @param isLast true if the second fetcher has no partition any more, and ends */
    void taken(boolean isLast) {
        isTaking = false;
        isTaken = true;
        if (isLast) {
            second = null;
        }
    }

    void requestSent() {
        isTaken = false;
    }
}
