package io.felice.broker;

import io.felice.broker.partition.LeaderPartition;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * How many bytes this broker gives to the followers of the replicas that {@code leader.replication.throttled.replicas}
 * names, all of them together, as {@code leader.replication.throttled.rate} says (KIP-73). A follower that counts for the
 * high watermark is not throttled, because producers wait for it. Any thread.
 */
final class LeaderThrottle {
    private static final double NANOS = 1e9;
    /** So many seconds of the rate may be given at once. */
    private static final double BURST_SECONDS = 0.05;

    private static final long LEAST_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Leaders are not throttled. */
    static final LeaderThrottle NONE = new LeaderThrottle(() -> Long.MAX_VALUE, topic -> List.of(), -1, () -> 0);

    private final LongSupplier rate;
    private final Function<String, List<String>> throttledReplicas;
    private final int self;
    private final LongSupplier nanos;

    // Guarded by this.
    private double left;
    private long lastLook;
    private long givenBytes;

    /**
     * @param rate bytes per second; {@link Long#MAX_VALUE} if nothing is throttled
     * @param throttledReplicas {@code leader.replication.throttled.replicas} of a topic
     */
    LeaderThrottle(LongSupplier rate, Function<String, List<String>> throttledReplicas, int self, LongSupplier nanos) {
        this.rate = rate;
        this.throttledReplicas = throttledReplicas;
        this.self = self;
        this.nanos = nanos;
        this.lastLook = nanos.getAsLong();
    }

    /** True if what the follower gets of the partition counts for the rate. */
    boolean isFor(LeaderPartition partition, int follower) {
        if (rate.getAsLong() == Long.MAX_VALUE || partition.inSync().counts(follower)) {
            return false;
        }
        List<String> replicas = throttledReplicas.apply(partition.id().topic());
        return replicas.contains("*") || replicas.contains(partition.id().partition() + ":" + self);
    }

    /** How long nothing more may be given, in nanoseconds; 0 if something may be given now. */
    synchronized long waitNanos() {
        double perNano = Math.max(1, rate.getAsLong()) / NANOS;
        long now = nanos.getAsLong();
        left = Math.min(perNano * NANOS * BURST_SECONDS, left + perNano * (now - lastLook));
        lastLook = now;
        return left > 0 ? 0 : Math.max(LEAST_WAIT_NANOS, (long) (-left / perNano));
    }

    /** @param bytes less than 0 if they were not given after all */
    synchronized void gave(long bytes) {
        left -= bytes;
        givenBytes += bytes;
    }

    /** All bytes that counted for the rate. */
    synchronized long givenBytes() {
        return givenBytes;
    }
}
