package io.felice.network;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the memory of requests that are received and handled, and pools the buffers of large requests. Any thread. */
final class FrameMemory {
    static final int SMALL = 64 * 1024;

    private static final int CLASSES = 6;
    private static final int LARGEST_POOLED = SMALL << (CLASSES - 1);
    /** The most bytes of buffers that wait to be used again. */
    static final long MOST_POOLED = 8L * 1024 * 1024;

    private final AtomicLong used = new AtomicLong();
    private final AtomicLong outlived = new AtomicLong();
    private final AtomicLong retained = new AtomicLong();
    private final List<Queue<ByteBuffer>> free = new ArrayList<>();
    private volatile long limit;

    FrameMemory(long limit) {
        this.limit = limit;
        for (int i = 0; i < CLASSES; i++) {
            free.add(new ConcurrentLinkedQueue<>());
        }
    }

    void limit(long bytes) {
        limit = bytes;
    }

    long limit() {
        return limit;
    }

    long used() {
        return used.get();
    }

    /** Bytes of the buffers that wait to be used again. */
    long pooled() {
        return retained.get();
    }

    /** Counts bytes that are already allocated, even above the limit. */
    void charge(int bytes) {
        used.addAndGet(bytes);
    }

    void discharge(int bytes) {
        used.addAndGet(-bytes);
    }

    /**
     * Adds to the memory that handlers still use for requests that were given up; negative when a handler has finished.
     */
    void outlives(int bytes) {
        outlived.addAndGet(bytes);
    }

    /**
     * True if requests that were given up use more than half of the memory: requests that keep their bytes are refused.
     */
    boolean isMostlyOutlived() {
        return outlived.get() > limit / 2;
    }

    /**
     * A buffer of at least this capacity, charged with its actual capacity. Null if the limit does not allow it now, or
     * if the JVM has no memory.
     */
    ByteBuffer allocate(int capacity) {
        boolean pooled = capacity > SMALL && capacity <= LARGEST_POOLED;
        int size = pooled ? Integer.highestOneBit(capacity - 1) << 1 : capacity;
        if (!reserve(size)) {
            return null;
        }
        try {
            return pooled ? pooled(size) : ByteBuffer.allocate(size);
        } catch (OutOfMemoryError none) {
            discharge(size);
            return null;
        }
    }

    private boolean reserve(int bytes) {
        long now = used.get();
        while (now + bytes <= limit) {
            if (used.compareAndSet(now, now + bytes)) {
                return true;
            }
            now = used.get();
        }
        return false;
    }

    private ByteBuffer pooled(int size) {
        ByteBuffer buffer = queue(size).poll();
        if (buffer == null) {
            return ByteBuffer.allocateDirect(size);
        }
        retained.addAndGet(-size);
        return buffer.clear();
    }

    /** Takes back a buffer that is not used any more; the pool may reuse it. */
    void recycle(ByteBuffer buffer) {
        int size = buffer.capacity();
        forget(buffer);
        if (!buffer.isDirect()) {
            return;
        }
        if (retained.addAndGet(size) <= MOST_POOLED) {
            queue(size).add(buffer);
        } else {
            retained.addAndGet(-size);
        }
    }

    /** Discharges a buffer that a handler may still use. The pool does not reuse it. */
    void forget(ByteBuffer buffer) {
        discharge(buffer.capacity());
    }

    void clear() {
        free.forEach(Queue::clear);
        retained.set(0);
    }

    private Queue<ByteBuffer> queue(int size) {
        return free.get(Integer.numberOfTrailingZeros(size) - Integer.numberOfTrailingZeros(SMALL));
    }
}
