package io.felice.broker.partition;

import io.felice.api.config.TopicConfig;
import io.felice.api.storage.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * The segments that a run of compaction reads, chosen as Kafka's log cleaner does: sealed, below the high watermark,
 * older than {@code min.compaction.lag.ms}. They are worth a run if {@code min.cleanable.dirty.ratio} of their bytes
 * were never compacted, or if such a segment exceeds {@code max.compaction.lag.ms}.
 *
 * @param segments in order; those before {@code from} were compacted before
 * @param from the first offset that was never compacted
 * @param to the offset after the last segment
 */
record Dirt(List<Segment> segments, long from, long to) {
    private static final long NEVER = Long.MAX_VALUE;

    Dirt {
        segments = List.copyOf(segments);
    }

    /**
     * @param cleanedTo the offset below which all is compacted
     * @param now milliseconds since the epoch
     * @param firstTimestamp the time of a segment's first batch, -1 if it has none; called only if there is a limit
     * @return empty if a run is not worth it
     */
    static Optional<Dirt> of(
            List<Segment> log,
            TopicConfig config,
            long cleanedTo,
            long highWatermark,
            long now,
            ToLongFunction<Segment> firstTimestamp) {
        long from = Math.max(cleanedTo, log.get(0).baseOffset());
        List<Segment> segments = old(log, config, from, highWatermark, now);
        List<Segment> dirty =
                segments.stream().filter(segment -> segment.nextOffset() > from).toList();
        long dirtyBytes = bytesOf(dirty);
        double worthIt = config.getDouble(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO) * bytesOf(segments);
        boolean worth = dirtyBytes > worthIt || hasWaitedLong(dirty, config, now, firstTimestamp);
        return dirtyBytes > 0 && worth
                ? Optional.of(
                        new Dirt(segments, from, dirty.get(dirty.size() - 1).nextOffset()))
                : Optional.empty();
    }

    private static List<Segment> old(List<Segment> log, TopicConfig config, long from, long highWatermark, long now) {
        long lag = config.getLong(TopicConfig.MIN_COMPACTION_LAG_MS);
        List<Segment> old = new ArrayList<>();
        for (Segment segment : log) {
            boolean young = segment.nextOffset() > from && lag > 0 && segment.maxTimestamp() > now - lag;
            if (!segment.sealed() || segment.nextOffset() > highWatermark || young) {
                break;
            }
            old.add(segment);
        }
        return old;
    }

    private static boolean hasWaitedLong(
            List<Segment> dirty, TopicConfig config, long now, ToLongFunction<Segment> firstTimestamp) {
        long lag = config.getLong(TopicConfig.MAX_COMPACTION_LAG_MS);
        return lag < NEVER
                && dirty.stream()
                        .mapToLong(firstTimestamp)
                        .anyMatch(timestamp -> timestamp >= 0 && timestamp < now - lag);
    }

    private static long bytesOf(List<Segment> segments) {
        return segments.stream().mapToLong(Segment::sizeInBytes).sum();
    }
}
