package io.felice.broker.partition;

/**
 * What the compaction of one log did since the log was opened, and what it does now. One compaction thread at a time
 * changes it; any thread reads.
 */
public final class CompactionProgress {
    private static final long NANOS_PER_MS = 1_000_000;
    private static final int PERCENT = 100;

    private volatile long runs;
    private volatile long lastRunMs;
    private volatile long readBytes;
    private volatile long writtenBytes;
    private volatile long savedBytes;
    private volatile long dirtyBytes;
    private volatile long bytes;
    private volatile double ratio;
    private volatile String doing = "";
    private volatile long percent;
    private volatile String lastFailure = "";
    private long beganAt;

    /** Completed runs. */
    public long runs() {
        return runs;
    }

    /** How long the last completed run took, in milliseconds. */
    public long lastRunMs() {
        return lastRunMs;
    }

    public long readBytes() {
        return readBytes;
    }

    public long writtenBytes() {
        return writtenBytes;
    }

    /** By how much the log became smaller. */
    public long savedBytes() {
        return savedBytes;
    }

    /** What could be compacted at the last look, in bytes. */
    public long dirtyBytes() {
        return dirtyBytes;
    }

    /** What could be compacted at the last look, and what had been before, in bytes. */
    public long bytes() {
        return bytes;
    }

    /** Which part of the bytes was dirty at the last look, from 0 to 1. */
    public double ratio() {
        return ratio;
    }

    /** {@code keys} while keys are read, {@code rewrite} while segments are rewritten, else empty. */
    public String doing() {
        return doing;
    }

    /** How much of that is done. */
    public long percent() {
        return percent;
    }

    /** Why the last run failed; empty if it did not. */
    public String lastFailure() {
        return lastFailure;
    }

    void looked(Dirt dirt) {
        dirtyBytes = dirt.dirtyBytes();
        bytes = dirt.bytes();
        ratio = dirt.ratio();
    }

    /** @param nanos of the monotonic clock */
    void began(long nanos) {
        beganAt = nanos;
        does("keys", 0, 1);
    }

    void readKeys(long done, long all, int batchBytes) {
        readBytes += batchBytes;
        does("keys", done, all);
    }

    void rewriting(long done, long all) {
        does("rewrite", done, all);
    }

    private void does(String what, long done, long all) {
        doing = what;
        percent = Math.max(0, Math.min(PERCENT, done * PERCENT / Math.max(1, all)));
    }

    void rewrote(SegmentRewrite rewrite, boolean replaced) {
        readBytes += rewrite.readBytes();
        if (replaced) {
            writtenBytes += rewrite.writtenBytes();
            savedBytes += rewrite.oldBytes() - rewrite.writtenBytes();
        }
    }

    /** @param nanos of the monotonic clock */
    void completed(long nanos) {
        runs++;
        lastRunMs = (nanos - beganAt) / NANOS_PER_MS;
        dirtyBytes = 0;
        ratio = 0;
        ended(null);
    }

    /**
     * @param failure null if there was none
     * @return true if the last run had not failed for the same reason
     */
    boolean ended(String failure) {
        doing = "";
        percent = 0;
        String before = lastFailure;
        lastFailure = failure == null ? "" : failure;
        return !lastFailure.equals(before);
    }
}
