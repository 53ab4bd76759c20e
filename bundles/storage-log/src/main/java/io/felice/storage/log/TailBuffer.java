package io.felice.storage.log;

import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Part of a log's tail in memory: whole batches that follow each other in one segment. The log's monitor guards it, the
 * bytes below {@link #written} never change, and the buffer goes back to the pool when the log and every pin let go.
 */
final class TailBuffer {
    final SegmentFile segment;
    /** Position in the segment of the first byte. */
    final long position;
    /** The log's end when this buffer was begun: its first batch may start later. */
    final long lowOffset;

    private final TailBuffers pool;
    private final ByteBuffer bytes;
    /** Another view for writing to the file, used by whoever settles. */
    private final ByteBuffer settling;

    private final AtomicInteger references = new AtomicInteger(1);

    private long nextOffset;
    private int written;
    private int settled;
    /** Up to where, in bytes and in offsets, the batches go that are being settled. */
    private int settlingTo;

    private long settlingNextOffset;

    TailBuffer(TailBuffers pool, ByteBuffer bytes, SegmentFile segment, long position, long lowOffset) {
        this.pool = pool;
        this.bytes = bytes;
        this.settling = bytes.duplicate();
        this.segment = segment;
        this.position = position;
        this.lowOffset = lowOffset;
        this.nextOffset = lowOffset;
    }

    int capacity() {
        return bytes.capacity();
    }

    int freeBytes() {
        return bytes.capacity() - written;
    }

    int written() {
        return written;
    }

    int settled() {
        return settled;
    }

    boolean isSettled() {
        return settled == written;
    }

    long nextOffset() {
        return nextOffset;
    }

    boolean holds(long offset) {
        return lowOffset <= offset && offset < nextOffset;
    }

    void append(RecordBatch batch, int size) {
        batch.copyTo(bytes, written);
        written += size;
        nextOffset = batch.nextOffset();
    }

    /** Decides that the batches appended so far are settled now; one thread at a time, who ends it before the next. */
    void beginSettling() {
        settlingTo = written;
        settlingNextOffset = nextOffset;
    }

    /** The bytes that are being settled; for whoever began it, no monitor needed. */
    ByteBuffer settling() {
        return settling.limit(settlingTo).position(settled);
    }

    /** Position in the segment of {@link #settling}'s first byte; for whoever began it, no monitor needed. */
    long settlingPosition() {
        return position + settled;
    }

    /** Notes that what was being settled is in the file; returns the offset after it. */
    long endSettling() {
        settled = settlingTo;
        return settlingNextOffset;
    }

    /** Index of the first batch whose last offset is at least {@code offset}, which the buffer holds. */
    int indexOf(long offset) {
        int at = 0;
        SparseIndex index = segment.indexIfLoaded();
        if (index != null) {
            at = (int) Math.max(0, index.positionAtOrBelowOffset(offset) - position);
        }
        while (lastOffsetAt(at) < offset) {
            at += sizeAt(at);
        }
        return at;
    }

    /** Bytes of the whole batches from index {@code from} on that are below {@code limit} and fit into {@code maxBytes}. */
    int bytesBelow(long limit, int from, int maxBytes, boolean atLeastOne) {
        if (limit >= nextOffset && written - from <= maxBytes) {
            return written - from;
        }
        int at = Math.max(from, skip(limit, from, maxBytes));
        while (at < written) {
            int size = sizeAt(at);
            boolean full = at + size - from > maxBytes && !(atLeastOne && at == from);
            if (full || lastOffsetAt(at) >= limit) {
                break;
            }
            at += size;
        }
        return at - from;
    }

    private int skip(long limit, int from, int maxBytes) {
        SparseIndex index = segment.indexIfLoaded();
        if (index == null) {
            return from;
        }
        long byBytes = index.positionAtOrBelow(position + from + maxBytes);
        long byOffset = index.positionAtOrBelowOffset(limit - 1);
        return (int) Math.min(written, Math.min(byBytes, byOffset) - position);
    }

    private int sizeAt(int at) {
        return RecordBatch.LENGTH_PREFIX_BYTES + bytes.getInt(at + RecordBatch.LENGTH_AT);
    }

    /** The base offset of the batch at an index. */
    long baseOffsetAt(int at) {
        return bytes.getLong(at + RecordBatch.BASE_OFFSET_AT);
    }

    private long lastOffsetAt(int at) {
        return baseOffsetAt(at) + bytes.getInt(at + RecordBatch.LAST_OFFSET_DELTA_AT);
    }

    ByteBuffer slice(int from, int length) {
        return bytes.slice(from, length);
    }

    void retain() {
        references.incrementAndGet();
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            pool.giveBack(bytes);
        }
    }
}
