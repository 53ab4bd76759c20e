package io.felice.storage.log;

/**
 * Follows the batches appended to a segment: adds an index entry every so many bytes, and keeps the largest timestamp.
 * One thread at a time writes; any thread may read the timestamp.
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

    /** Notes an appended batch; {@code position} is where it begins. */
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

    /** Adds the largest timestamp as the last entry of the time index. */
    void finish(SparseIndex index) {
        if (maxTimestamp >= 0) {
            index.addTime(maxTimestamp, offsetOfMaxTimestamp);
        }
    }

    /** Sets the largest timestamp of the existing batches and its offset. */
    void set(long timestamp, long offset) {
        offsetOfMaxTimestamp = offset;
        maxTimestamp = timestamp;
        bytesSinceEntry = 0;
    }
}
