package io.felice.storage.log;

/**
 * What a segment notes of each batch that is put at its end: an index entry every so many bytes, and the largest timestamp.
 * One writer; the timestamp may be read by any thread.
 */
final class SegmentTally {
    private volatile long maxTimestamp = -1;
    private long offsetOfMaxTimestamp;
    private int bytesSinceEntry;

    SegmentTally(long baseOffset) {
        this.offsetOfMaxTimestamp = baseOffset;
    }

    /** -1 if no batch has a timestamp. */
    long maxTimestamp() {
        return maxTimestamp;
    }

    long offsetOfMaxTimestamp() {
        return offsetOfMaxTimestamp;
    }

    /** @param position where the batch begins */
    void note(SparseIndex index, long position, long lastOffset, long timestamp, int bytes, int indexIntervalBytes) {
        if (timestamp > maxTimestamp) {
            maxTimestamp = timestamp;
            offsetOfMaxTimestamp = lastOffset;
        }
        if (bytesSinceEntry > indexIntervalBytes) {
            index.add(lastOffset, position);
            index.addTime(maxTimestamp, offsetOfMaxTimestamp);
            bytesSinceEntry = 0;
        }
        bytesSinceEntry += bytes;
    }

    /** Makes the last entry of a segment's index: its largest timestamp. */
    void finish(SparseIndex index) {
        if (maxTimestamp >= 0) {
            index.addTime(maxTimestamp, offsetOfMaxTimestamp);
        }
    }

    /** Goes on from what is known of the batches so far. */
    void set(long timestamp, long offset) {
        offsetOfMaxTimestamp = offset;
        maxTimestamp = timestamp;
        bytesSinceEntry = 0;
    }
}
