package io.felice.storage.log;

import java.io.IOException;

/**
 * Makes a segment's index anew from its batches: of a sealed segment whose index files are missing or wrong, and at
 * recovery, which reads every batch anyway. For one thread.
 */
final class IndexRebuild {
    /** The spacing of entries where no owner has said one. */
    static final int INTERVAL_BYTES = 4096;

    private final SparseIndex index;
    private final SegmentTally tally;
    private long bytes;

    IndexRebuild(long baseOffset) {
        this.index = new SparseIndex(baseOffset);
        this.tally = new SegmentTally(baseOffset);
    }

    /** Says whether the batch that the scan looks at belongs to the segment. */
    interface Check {
        boolean accepts(BatchScan scan) throws IOException;
    }

    /** Reads batches from the beginning of the file, up to {@code end} or the first that is not accepted. */
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

    /** What was read. */
    long bytes() {
        return bytes;
    }
}
