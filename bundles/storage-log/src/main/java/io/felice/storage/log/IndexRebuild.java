package io.felice.storage.log;

import java.io.IOException;

/**
 * Rebuilds the index of a segment from its batches: during recovery, and when the index files of a sealed segment are
 * missing or wrong. For one thread.
 */
final class IndexRebuild {
    /** At least this many bytes are between two entries of a rebuilt index, and of one that compaction writes. */
    static final int INTERVAL_BYTES = 4096;

    private final SparseIndex index;
    private final SegmentTally tally;
    private long bytes;

    IndexRebuild(long baseOffset) {
        this.index = new SparseIndex(baseOffset);
        this.tally = new SegmentTally(baseOffset);
    }

    /** Decides whether the batch that the scan has read belongs to the segment. */
    interface Check {
        boolean accepts(BatchScan scan) throws IOException;
    }

    /**
     * Reads batches from the beginning of the file up to the position {@code end}, or to the first batch that is not
     * accepted.
     */
    IndexRebuild read(BatchScan scan, long end, Check check) throws IOException {
        while (bytes < end && scan.header(bytes, end) && check.accepts(scan)) {
            tally.note(index, bytes, scan.lastOffset(), scan.maxTimestamp(), scan.size(), INTERVAL_BYTES);
            bytes += scan.size();
        }
        return this;
    }

    SparseIndex index() {
        return index;
    }

    SegmentTally tally() {
        return tally;
    }

    /** How many bytes the accepted batches have. */
    long bytes() {
        return bytes;
    }
}
