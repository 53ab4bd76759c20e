package io.felice.storage.mvstore;

import io.felice.api.RecordBatch;
import java.util.List;

/**
 * A segment of a log. Its size includes what is not committed yet; that is guarded by the log. What is in the store file is
 * known to the shard's thread.
 */
final class StoredSegment {
    /** The largest difference between the offsets of a segment: it has to fit into a key. */
    static final long MOST_OFFSETS = Integer.MAX_VALUE;

    private final int number;
    private final long base;
    private final long createdAt;

    // Guarded by the log.
    private long bytes;
    private long maxTimestamp = RecordBatch.NO_TIMESTAMP;
    private boolean sealed;

    // Written by the shard's thread.
    private volatile StoreFile file;
    private long storedNext;
    private long storedBytes;
    private long storedMaxTimestamp = RecordBatch.NO_TIMESTAMP;

    /** @param createdAt milliseconds since the epoch */
    StoredSegment(int number, long base, long createdAt) {
        this.number = number;
        this.base = base;
        this.createdAt = createdAt;
        this.storedNext = base;
    }

    static StoredSegment of(int number, SegmentEntry entry, StoreFile file) {
        StoredSegment segment = new StoredSegment(number, entry.base(), entry.createdAt());
        segment.bytes = entry.bytes();
        segment.maxTimestamp = entry.maxTimestamp();
        segment.sealed = entry.sealed();
        segment.file = file;
        segment.storedNext = entry.next();
        segment.storedBytes = entry.bytes();
        segment.storedMaxTimestamp = entry.maxTimestamp();
        return segment;
    }

    int number() {
        return number;
    }

    long base() {
        return base;
    }

    long createdAt() {
        return createdAt;
    }

    long bytes() {
        return bytes;
    }

    long maxTimestamp() {
        return maxTimestamp;
    }

    boolean isSealed() {
        return sealed;
    }

    void seal() {
        sealed = true;
    }

    void added(RecordBatch batch, int size) {
        bytes += size;
        maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp());
    }

    /** Forgets what is not in the store file. */
    void backToStored() {
        bytes = storedBytes;
        maxTimestamp = storedMaxTimestamp;
    }

    // ---- the store file

    /** Null until a batch was put. */
    StoreFile file() {
        return file;
    }

    void movedTo(StoreFile to) {
        file = to;
    }

    boolean isStored() {
        return file != null;
    }

    /** The last offset of the batch with a key of this segment. */
    long lastOffset(long key) {
        return base + (key & 0xFFFF_FFFFL);
    }

    long keyOf(long lastOffset) {
        return StoreFile.keyOf(number, lastOffset - base);
    }

    /** What the newest file has to say of the segment when these batches are put into it as well. */
    SegmentEntry entryWith(int log, StoreFile in, List<RecentBatches.Recent> batches) {
        long next = storedNext;
        long sum = storedBytes;
        long newest = storedMaxTimestamp;
        for (RecentBatches.Recent one : batches) {
            next = one.batch().nextOffset();
            sum += one.size();
            newest = Math.max(newest, one.batch().maxTimestamp());
        }
        return new SegmentEntry(log, in.generation(), base, next, sum, newest, createdAt, sealed);
    }

    /** A batch is committed. */
    void stored(StoreFile in, RecordBatch batch, int size) {
        file = in;
        storedNext = batch.nextOffset();
        storedBytes += size;
        storedMaxTimestamp = Math.max(storedMaxTimestamp, batch.maxTimestamp());
    }

    /** The segment has all batches that it will ever have, for offsets up to {@code to}. */
    void replaces(StoreFile in, long to) {
        file = in;
        storedNext = to;
        sealed = true;
        backToStored();
    }

    /** The offset after the last batch in the store file, or where the segment ends. */
    long storedNext() {
        return storedNext;
    }

    long storedBytes() {
        return storedBytes;
    }

    SegmentEntry entry(int log) {
        return new SegmentEntry(
                log, file.generation(), base, storedNext, storedBytes, storedMaxTimestamp, createdAt, sealed);
    }

    @Override
    public String toString() {
        return "segment " + number + " from " + base;
    }
}
