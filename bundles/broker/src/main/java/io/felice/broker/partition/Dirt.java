package io.felice.broker.partition;

import io.felice.api.config.TopicConfig;
import io.felice.api.storage.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What a run of compaction can read of a log now, chosen as Kafka's log cleaner does: the segments that are sealed, below
 * the high watermark, and older than {@code min.compaction.lag.ms}.
 *
 * @param segments in order; those before {@code from} were compacted before
 * @param from the first offset that was never compacted
 * @param to the offset after the last segment
 * @param dirtyBytes the size of the segments that were never compacted, or not wholly
 * @param bytes the size of all of the segments
 * @param isOverdue true if a record has waited for longer than {@code max.compaction.lag.ms}
 * @param isWorthARun true if more than {@code min.cleanable.dirty.ratio} of the bytes are dirty, or a record is overdue
 */
public record Dirt(
        List<Segment> segments,
        long from,
        long to,
        long dirtyBytes,
        long bytes,
        boolean isOverdue,
        boolean isWorthARun) {
    private static final long NEVER = Long.MAX_VALUE;

    public Dirt {
        segments = List.copyOf(segments);
    }

    /** Which part of the bytes is dirty, from 0 to 1. */
    public double ratio() {
        return bytes == 0 ? 0 : (double) dirtyBytes / bytes;
    }

    /**
     * @param cleanedTo the offset below which all is compacted
     * @param limit the offset above which nothing is compacted: the high watermark, and what a follower's leader says
     * @param now milliseconds since the epoch
     * @param firstTimestamp the time of a segment's first batch, -1 if it has none; called only if there is a limit
     */
    static Dirt of(
            List<Segment> log,
            TopicConfig config,
            long cleanedTo,
            long limit,
            long now,
            ToLongFunction<Segment> firstTimestamp) {
        long from = Math.max(cleanedTo, log.get(0).baseOffset());
        List<Segment> segments = old(log, config, from, limit, now);
        List<Segment> dirty =
                segments.stream().filter(segment -> segment.nextOffset() > from).toList();
        long to = dirty.isEmpty() ? from : dirty.get(dirty.size() - 1).nextOffset();
        long dirtyBytes = bytesOf(dirty);
        long bytes = bytesOf(segments);
        boolean overdue = hasWaitedLong(dirty, config, now, firstTimestamp);
        boolean much = dirtyBytes > config.getDouble(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO) * bytes;
        return new Dirt(segments, from, to, dirtyBytes, bytes, overdue, dirtyBytes > 0 && (much || overdue));
    }

    private static List<Segment> old(List<Segment> log, TopicConfig config, long from, long limit, long now) {
        long lag = config.getLong(TopicConfig.MIN_COMPACTION_LAG_MS);
        List<Segment> old = new ArrayList<>();
        for (Segment segment : log) {
            boolean young = segment.nextOffset() > from && lag > 0 && segment.maxTimestamp() > now - lag;
            if (!segment.sealed() || segment.nextOffset() > limit || young) {
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

    /**
     * The first segments of a list that can become one, because together they are no larger than one may be. A segment that
     * is not wholly below {@code to} stays alone, as some of it is dirty; segments that begin at {@code to} or later count
     * as none.
     *
     * @return empty if the list is
     */
    static List<Segment> neighbours(List<Segment> segments, long to, long segmentBytes) {
        List<Segment> group = new ArrayList<>();
        for (Segment segment : segments) {
            boolean isDirty = segment.baseOffset() >= to || !segment.sealed();
            if (isDirty || (!group.isEmpty() && !fits(group, segment, to, segmentBytes))) {
                break;
            }
            group.add(segment);
        }
        return group;
    }

    private static boolean fits(List<Segment> group, Segment segment, long to, long segmentBytes) {
        return segment.nextOffset() <= to
                && bytesOf(group) + segment.sizeInBytes() <= segmentBytes
                && segment.nextOffset() - group.get(0).baseOffset() <= Integer.MAX_VALUE;
    }
}
