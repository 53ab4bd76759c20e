package io.felice.broker;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.TimestampedOffset;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Segment;
import io.felice.records.RecordReader;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Finds records by time: by the batches' headers first, then by the records of one batch. Pool threads only. */
final class TimestampSearch {
    private TimestampSearch() {}

    /** The first record below {@code limit} whose time is at least {@code timestamp}. */
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

    /** The first of the records with the largest time below {@code limit}. */
    static Optional<TimestampedOffset> newest(PartitionLog log, long limit) {
        long start = log.startOffset();
        Segment best = null;
        for (Segment segment : log.segments()) {
            if (segment.sizeInBytes() > 0 && (best == null || segment.maxTimestamp() > best.maxTimestamp())) {
                best = segment;
            }
        }
        if (best == null) {
            return Optional.empty();
        }
        long[] newest = {-1, -1};
        LogScan.walk(log, Math.max(start, best.baseOffset()), Math.min(limit, best.nextOffset()), batch -> {
            if (batch.maxTimestamp() > newest[0]) {
                newest[0] = batch.maxTimestamp();
                newest[1] = batch.baseOffset();
            }
            return true;
        });
        return newest[0] < 0 ? Optional.empty() : firstFrom(log, Math.max(start, newest[1]), newest[0], limit);
    }

    private static Optional<TimestampedOffset> firstFrom(PartitionLog log, long from, long timestamp, long limit) {
        AtomicReference<TimestampedOffset> found = new AtomicReference<>();
        long start = log.startOffset();
        LogScan.walk(log, from, limit, batch -> {
            found.set(firstIn(batch, timestamp, start));
            return found.get() == null && batch.maxTimestamp() < timestamp;
        });
        return Optional.ofNullable(found.get());
    }
}
