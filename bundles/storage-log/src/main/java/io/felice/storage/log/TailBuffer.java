package io.felice.storage.log;

import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One buffer of a log's {@link Tail}: holds successive whole batches of one segment. The log's monitor guards it. Bytes
 * below {@link #written} never change. The buffer returns to the pool when the log and all readers have released it.
 */
final class TailBuffer {
    final SegmentFile segment;
    /** Position of the buffer's first byte in the segment. */
    final long position;
    /** The log's end offset when the buffer was created; the first batch may have a higher offset. */
    final long lowOffset;

    private final TailBuffers pool;
    private final ByteBuffer bytes;
    /** A second view of the bytes, from which the settling thread writes to the file. */
    private final ByteBuffer settling;

    private final AtomicInteger references = new AtomicInteger(1);

    private long nextOffset;
    private int written;
    private int settled;
    /** The end, in bytes, of the batches that are being settled. */
    private int settlingTo;

    /** The offset after the batches that are being settled. */
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

    /** Begins to settle the batches appended so far. One thread at a time; it calls {@link #endSettling} afterwards. */
    void beginSettling() {
        settlingTo = written;
        settlingNextOffset = nextOffset;
    }

    /** The bytes that are being settled. Only the settling thread calls this; it needs no monitor. */
    ByteBuffer settling() {
        return settling.limit(settlingTo).position(settled);
    }

    /**
     * Position of {@link #settling}'s first byte in the segment. Only the settling thread calls this; it needs no
     * monitor.
     */
    long settlingPosition() {
        return position + settled;
    }

    /** Notes that the batches which were being settled are in the file; returns the offset after them. */
    long endSettling() {
        settled = settlingTo;
        return settlingNextOffset;
    }

    /** Index of the first batch whose last offset is at least {@code offset}; the buffer must hold such a batch. */
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

    /**
     * Size of the whole batches from index {@code from} on that are below the offset {@code limit} and fit into
     * {@code maxBytes}.
     */
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
