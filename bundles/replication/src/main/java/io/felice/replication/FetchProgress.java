package io.felice.replication;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** How far a {@link Fetcher} is. Its thread writes; any thread reads. */
final class FetchProgress {
    /** Adding up the lag takes time with many partitions. */
    private static final long LAG_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final int leader;
    private final String name;
    private final AtomicLong fetches = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private volatile int partitions;
    private volatile int waiting;
    private volatile long lag;
    private volatile long mostLag;
    private long lagNanos = System.nanoTime() - LAG_EVERY_NANOS;

    FetchProgress(int leader, String name) {
        this.leader = leader;
        this.name = name;
    }

    /**
     * @param all the partitions that are followed
     * @param inSession those of them that are being fetched
     */
    void partitions(int all, int inSession) {
        partitions = all;
        waiting = all - inSession;
    }

    void fetched(long received, Collection<FetchTarget> targets) {
        fetches.incrementAndGet();
        bytes.addAndGet(received);
        long now = System.nanoTime();
        if (now - lagNanos >= LAG_EVERY_NANOS) {
            lagNanos = now;
            long sum = 0;
            long most = 0;
            for (FetchTarget target : targets) {
                long one = Math.max(0, target.lag());
                sum += one;
                most = Math.max(most, one);
            }
            lag = sum;
            mostLag = most;
        }
    }

    /** The cells of the table {@code replication.fetchers}. */
    List<Object> row() {
        return List.of(
                Integer.toString(leader),
                name,
                (long) partitions,
                (long) waiting,
                lag,
                mostLag,
                fetches.get(),
                bytes.get());
    }
}
