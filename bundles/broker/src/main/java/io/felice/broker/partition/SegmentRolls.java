package io.felice.broker.partition;

import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Segment;
import java.util.List;

/**
 * Rolls the active segment of a log when it is older than {@code segment.ms}. Ages come from the monotonic clock, so
 * that a wall clock that is set back delays no roll; only the age at the opening comes from the wall clock. For the
 * log's writer.
 */
final class SegmentRolls {
    private static final long NANOS_PER_MS = 1_000_000;

    private final PartitionLog log;
    private final Environment environment;

    private boolean known;
    /** When the active segment got its first record, in nanoseconds of the monotonic clock. */
    private long since;

    private long lifetimeNanos;
    private long segmentBytes;

    SegmentRolls(PartitionLog log, Environment environment) {
        this.log = log;
        this.environment = environment;
    }

    /** True if {@link #rollIfOld} must be called before the next append; it may block. */
    boolean isDue() {
        return !known || environment.nanos().getAsLong() - since >= lifetimeNanos;
    }

    /** The age is compared anew before the next append. */
    void forget() {
        known = false;
    }

    /** Must be called before each append. The engine itself rolls a segment that would exceed {@code segment.bytes}. */
    void appending(int bytes, TopicRules rules) {
        if (segmentBytes + bytes > rules.sizes().segmentBytes()) {
            begin(0, rules);
        }
        segmentBytes += bytes;
    }

    /**
     * Blocks.
     *
     * @return true if the active segment was rolled
     */
    boolean rollIfOld(TopicRules rules) {
        if (!isDue()) {
            return false;
        }
        List<Segment> segments = log.segments();
        Segment active = segments.get(segments.size() - 1);
        boolean empty = active.sizeInBytes() == 0;
        long ageNanos = empty ? 0 : ageOf(active);
        begin(ageNanos, rules);
        segmentBytes = active.sizeInBytes();
        boolean old = !empty && ageNanos >= lifetimeNanos;
        if (old) {
            log.roll();
            begin(0, rules);
        }
        known = true;
        return old;
    }

    private long ageOf(Segment active) {
        long byWall = nanos(Math.max(0, environment.clock().millis() - active.createdAt()));
        return known ? environment.nanos().getAsLong() - since : byWall;
    }

    private void begin(long ageNanos, TopicRules rules) {
        since = environment.nanos().getAsLong() - ageNanos;
        lifetimeNanos = nanos(lifetimeMs(rules));
        segmentBytes = 0;
    }

    private long lifetimeMs(TopicRules rules) {
        long jitter = Math.min(rules.segmentJitterMs(), rules.segmentMs());
        return rules.segmentMs() - (jitter == 0 ? 0 : environment.random().nextLong(jitter));
    }

    private static long nanos(long ms) {
        return ms > Long.MAX_VALUE / NANOS_PER_MS ? Long.MAX_VALUE : ms * NANOS_PER_MS;
    }
}
