package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes batches off a log's start or its end: changes what the newest store file says of the log's segments, also of those
 * in older files. The batches stay where they are until their file is deleted. The shard's thread only, when everything
 * that was appended is committed; memory follows after the commit.
 */
final class StoredTruncation {
    private final StoredLog log;

    StoredTruncation(StoredLog log) {
        this.log = log;
    }

    /** Lets the log end at or below {@code to}. */
    Runnable truncate(long to, StoreFile newest) throws IOException {
        long start = log.startOffset();
        if (to >= log.endOffset()) {
            return () -> {};
        }
        if (to < start) {
            return startAgain(to, newest);
        }
        List<StoredSegment> left = new ArrayList<>(log.storedSegments());
        List<StoredSegment> gone = new ArrayList<>();
        StoredSegment last = null;
        while (last == null && !left.isEmpty()) {
            StoredSegment end = left.remove(left.size() - 1);
            last = below(to, end);
            if (last == null || last.storedNext() <= start) {
                last = null;
                gone.add(end);
            }
        }
        if (last != null) {
            left.add(last);
            newest.putSegment(last.number(), last.entry(log.number()));
        }
        for (StoredSegment segment : gone) {
            newest.removeSegment(segment.number());
        }
        long newEnd = last == null ? start : Math.max(start, last.storedNext());
        return () -> log.restart(left, start, newEnd);
    }

    /** The segment with its batches below {@code to}; null if it has none. */
    private StoredSegment below(long to, StoredSegment segment) {
        if (segment.storedNext() <= to) {
            return segment;
        }
        try {
            return segment.base() >= to ? null : cutAt(to, segment);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(log + " cannot be truncated: " + failure.getMessage(), failure);
        }
    }

    private StoredSegment cutAt(long to, StoredSegment segment) throws IOException {
        long key = segment.file().floorKey(segment.keyOf(to - 1));
        if (key < segment.keyOf(segment.base())) {
            return null;
        }
        long next = segment.lastOffset(key) + 1;
        long[] bytes = {0};
        long[] maxTimestamp = {RecordBatch.NO_TIMESTAMP};
        segment.file().forEachBatch(segment.keyOf(segment.base()), segment.keyOf(next), (at, value) -> {
            bytes[0] += value.remaining();
            maxTimestamp[0] = Math.max(maxTimestamp[0], RecordBatch.at(value).maxTimestamp());
            return true;
        });
        SegmentEntry entry = segment.entry(log.number()).cutAt(next, bytes[0], maxTimestamp[0]);
        return StoredSegment.of(segment.number(), entry, segment.file());
    }

    /** Lets the log start at {@code to}; an end below moves there. */
    Runnable trim(long to, StoreFile newest) throws IOException {
        if (to <= log.startOffset()) {
            return () -> {};
        }
        if (to >= log.endOffset()) {
            return startAgain(to, newest);
        }
        List<StoredSegment> segments = log.segmentsNow();
        List<StoredSegment> gone = new ArrayList<>();
        for (int i = 0; i + 1 < segments.size() && segments.get(i + 1).base() <= to; i++) {
            gone.add(segments.get(i));
        }
        newest.putLog(log.number(), log.entryStartingAt(to));
        for (StoredSegment segment : gone) {
            newest.removeSegment(segment.number());
        }
        return () -> log.dropBelow(gone, to);
    }

    private Runnable startAgain(long at, StoreFile newest) throws IOException {
        newest.putLog(log.number(), log.entryStartingAt(at));
        for (StoredSegment segment : log.storedSegments()) {
            newest.removeSegment(segment.number());
        }
        return () -> log.restart(List.of(), at, at);
    }
}
