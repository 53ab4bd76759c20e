package io.felice.broker;

import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.ReadableRole;
import io.felice.broker.partition.Watcher;

/**
 * One partition that a reader wants, and what the last attempt to read it has found. The attempts of a fetch write it, one
 * after the other; any thread may read it while the fetch waits.
 */
class PartitionReader implements Watcher {
    private static final long NOT_KNOWN = -1;

    private final ReaderSource source;
    private volatile Want want;

    /** Null if the partition cannot be read. */
    private ReadableRole partition;
    /** Why; null if the partition can be read. */
    private FetchedPartition failure;
    /** Where the records ended for this reader. */
    private long end = NOT_KNOWN;
    /** The bytes that were appended to the partition; {@link #NOT_KNOWN} if the reader could not read all of them yet. */
    private long bytesBefore = NOT_KNOWN;
    /** The high watermark that a follower knows, at least. */
    private long watermark = NOT_KNOWN;
    /** True if its records are not in memory. */
    private boolean isCold;
    /** True if a throttled follower gets nothing of it now. */
    private boolean isHeld;

    PartitionReader(ReaderSource source, Want want) {
        this.source = source;
        this.want = want;
    }

    Want want() {
        return want;
    }

    /** The reader wants something else. No fetch is under way. */
    void want(Want other) {
        want = other;
    }

    @Override
    public final void changed() {
        source.changed(this);
    }

    // ---- what an attempt has found

    void failed(FetchedPartition why) {
        partition = null;
        failure = why;
    }

    /** @param readableEnd where the records end for this reader */
    void found(ReadableRole role, long readableEnd) {
        boolean isSettled = role.logEndOffset() <= readableEnd;
        bytesBefore = isSettled ? role.appendedBytes() : NOT_KNOWN;
        end = readableEnd;
        isHeld = false;
        isCold = want.offset() < readableEnd && !role.isHot(want.offset());
        partition = role;
        failure = null;
    }

    void hold() {
        isHeld = true;
    }

    /** A follower learns the high watermark by the answer. */
    void tells(long highWatermark) {
        watermark = highWatermark;
    }

    void tellsAtFirst(long highWatermark) {
        if (watermark == NOT_KNOWN) {
            watermark = highWatermark;
        }
    }

    ReadableRole partition() {
        return partition;
    }

    FetchedPartition failure() {
        return failure;
    }

    /** True if the partition has records for this reader. */
    boolean hasRecords() {
        return partition != null && want.offset() < end;
    }

    boolean isAtEnd() {
        return want.offset() == end;
    }

    boolean isHeld() {
        return isHeld;
    }

    /** True if the partition has records behind an offset that the reader got. */
    boolean hasMoreThan(long offset) {
        return offset < end;
    }

    /** The engine on whose threads the partition must be read; null if any thread may read it. */
    MountedEngine engine() {
        return partition != null && isCold ? partition.log().engine() : null;
    }

    // ---- whether there is more by now

    /** True if the partition has to be answered now, whether it has records or not. */
    boolean mustBeTold() {
        ReadableRole role = partition;
        return role == null || !role.isOn() || want.offset() < role.logStartOffset();
    }

    boolean isWatermarkNews() {
        ReadableRole role = partition;
        return role != null && role.highWatermark() > watermark;
    }

    /**
     * How many bytes the reader can read more than the last attempt found, about.
     *
     * @return {@link Long#MAX_VALUE} if that is not known
     */
    long more(long endNow) {
        if (isHeld || endNow <= end) {
            return 0;
        }
        ReadableRole role = partition;
        return role == null || bytesBefore == NOT_KNOWN
                ? Long.MAX_VALUE
                : Math.max(1, role.appendedBytes() - bytesBefore);
    }
}
