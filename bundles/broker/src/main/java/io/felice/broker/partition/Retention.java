package io.felice.broker.partition;

import io.felice.api.config.TopicConfig;
import io.felice.api.storage.Segment;
import java.util.List;

/** Finds the segments that exceed {@code retention.ms} or {@code retention.bytes}. Stateless. */
public final class Retention {
    private Retention() {}

    /**
     * The offset below which retention removes records.
     *
     * @param keepFrom the high watermark; records from there on are kept
     * @param now milliseconds since the epoch
     * @return the new log start offset; -1 if all records stay
     */
    static long trimPoint(List<Segment> segments, TopicConfig config, long keepFrom, long now) {
        if (!config.getList(TopicConfig.CLEANUP_POLICY).contains("delete")) {
            return -1;
        }
        long byTime = byTime(segments, config.getLong(TopicConfig.RETENTION_MS), now);
        long bySize = bySize(segments, config.getLong(TopicConfig.RETENTION_BYTES));
        return Math.min(keepFrom, Math.max(byTime, bySize));
    }

    private static long byTime(List<Segment> segments, long retentionMs, long now) {
        long point = -1;
        if (retentionMs < 0) {
            return point;
        }
        for (Segment segment : segments) {
            long newest = segment.maxTimestamp() >= 0 ? segment.maxTimestamp() : segment.createdAt();
            boolean isYoung = now - newest <= retentionMs;
            if (segment.sizeInBytes() == 0 ? !segment.sealed() : isYoung) {
                break;
            }
            point = segment.nextOffset();
        }
        return point;
    }

    private static long bySize(List<Segment> segments, long retentionBytes) {
        long point = -1;
        if (retentionBytes < 0) {
            return point;
        }
        long surplus = segments.stream().mapToLong(Segment::sizeInBytes).sum() - retentionBytes;
        for (Segment segment : segments) {
            if (!segment.sealed() && segment.sizeInBytes() == 0 || surplus < segment.sizeInBytes()) {
                break;
            }
            surplus -= segment.sizeInBytes();
            point = segment.nextOffset();
        }
        return point;
    }
}
