package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.TimestampedOffset;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Segment;
import io.felice.records.RecordReader;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Finds records by time: first the batch by the headers, then the record in it. Pool threads only. */
final class TimestampSearch {
    private TimestampSearch() {}

    /** The first record below offset {@code limit} whose time is at least {@code timestamp}. */
    static Optional<TimestampedOffset> first(PartitionLog log, long timestamp, long limit) {
        AtomicReference<TimestampedOffset> found = new AtomicReference<>();
        long start = log.startOffset();
        LogScan.walk(log, Math.max(start, log.scanStartFor(timestamp)), limit, batch -> {
            if (batch.maxTimestamp() >= timestamp) {
                found.set(firstIn(batch, timestamp, start));
            }
            return found.get() == null;
        });
        return Optional.ofNullable(found.get());
    }

    private static TimestampedOffset firstIn(RecordBatch batch, long timestamp, long start) {
        AtomicReference<TimestampedOffset> found = new AtomicReference<>();
        RecordReader.read(batch, (offset, time, key, value) -> {
            if (time >= timestamp && offset >= start) {
                found.set(new TimestampedOffset(offset, time, batch.leaderEpoch()));
            }
            return found.get() == null;
        });
        return found.get();
    }

    /**
     * The first record with the largest time below offset {@code limit}. The record with a segment's largest time may
     * lie outside the log or above the limit, so other segments are searched too while they may have a larger time than
     * the one found.
     */
    static Optional<TimestampedOffset> newest(PartitionLog log, long limit) {
        List<Segment> latestFirst = log.segments().stream()
                .filter(segment -> segment.sizeInBytes() > 0)
                .sorted(Comparator.comparingLong(Segment::maxTimestamp)
                        .reversed()
                        .thenComparingLong(Segment::baseOffset))
                .toList();
        TimestampedOffset best = null;
        for (Segment segment : latestFirst) {
            if (best == null || isBetter(segment.maxTimestamp(), segment.baseOffset(), best)) {
                best = newestIn(log, segment, limit, best);
            }
        }
        return Optional.ofNullable(best);
    }

    private static boolean isBetter(long timestamp, long offset, TimestampedOffset than) {
        return timestamp > than.timestamp() || (timestamp == than.timestamp() && offset < than.offset());
    }

    /**
     * The better of {@code best} and the segment's best. Reads only headers, except of a batch that begins below the
     * log start.
     */
    private static TimestampedOffset newestIn(PartitionLog log, Segment segment, long limit, TimestampedOffset best) {
        long start = log.startOffset();
        long from = Math.max(start, segment.baseOffset());
        long to = Math.min(limit, segment.nextOffset());
        AtomicReference<TimestampedOffset> newest = new AtomicReference<>(best);
        long[] batchOf = {-1};
        LogScan.walk(log, from, to, batch -> {
            TimestampedOffset before = newest.get();
            if (before == null || isBetter(batch.maxTimestamp(), batch.baseOffset(), before)) {
                boolean whole = batch.baseOffset() >= start;
                TimestampedOffset found = whole ? byHeader(batch) : newestOf(batch, start);
                if (found != null && (before == null || isBetter(found.timestamp(), found.offset(), before))) {
                    newest.set(found);
                    batchOf[0] = batch.baseOffset();
                }
            }
            return true;
        });
        if (batchOf[0] < 0) {
            return best;
        }
        TimestampedOffset found = newestOfBatchAt(log, Math.max(start, batchOf[0]), limit);
        boolean better = found != null && (best == null || isBetter(found.timestamp(), found.offset(), best));
        return better ? found : best;
    }

    private static TimestampedOffset byHeader(RecordBatch batch) {
        return batch.maxTimestamp() < 0 || batch.recordCount() == 0
                ? null
                : new TimestampedOffset(batch.baseOffset(), batch.maxTimestamp(), batch.leaderEpoch());
    }

    private static TimestampedOffset newestOfBatchAt(PartitionLog log, long offset, long limit) {
        AtomicReference<TimestampedOffset> found = new AtomicReference<>();
        LogScan.walk(log, offset, limit, batch -> {
            found.set(newestOf(batch, offset));
            return false;
        });
        return found.get();
    }

    /** Null if no record from {@code start} on has a time. */
    private static TimestampedOffset newestOf(RecordBatch batch, long start) {
        AtomicReference<TimestampedOffset> newest = new AtomicReference<>();
        RecordReader.read(batch, (offset, time, key, value) -> {
            TimestampedOffset before = newest.get();
            if (offset >= start && time >= 0 && (before == null || time > before.timestamp())) {
                newest.set(new TimestampedOffset(offset, time, batch.leaderEpoch()));
            }
            return true;
        });
        return newest.get();
    }
}
