package io.felice.storage.log;

import io.felice.api.RecordBatch;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The newest batches of a log in memory: those that are not settled yet and, if the log is read, those settled
 * recently. The first buffer is small; each further one is twice as large, up to the largest size. If nobody reads the
 * log, its settled buffers are replaced by one buffer: it stays in the processor's cache, and other logs can use the
 * memory. The log's monitor guards this class.
 */
final class Tail {
    /**
     * Unsettled batches may take this many times the tail's normal size; then an append has to settle, which waits for
     * the disk.
     */
    private static final int LEAD_FACTOR = 4;

    private final LogResources shared;
    private final List<TailBuffer> buffers = new ArrayList<>();
    private int bytes;
    private int lastSize;
    /** Bytes appended since the last read of the log. */
    private long bytesSinceRead;

    Tail(LogResources shared) {
        this.shared = shared;
    }

    /** Makes space for a batch, with another buffer from the pool if necessary; false if no buffer can be had. */
    boolean reserve(SegmentFile active, long end, int size) {
        if (!buffers.isEmpty() && hasNoReader()) {
            replaceBuffers();
        }
        if (!buffers.isEmpty()) {
            TailBuffer last = last();
            boolean follows = last.segment == active && last.position + last.written() == active.size();
            if (follows && last.freeBytes() >= size) {
                return true;
            }
        }
        return extend(active, end, size);
    }

    void append(RecordBatch batch, int size) {
        last().append(batch, size);
        bytesSinceRead += size;
    }

    /** Called at every read of the log, from memory or from a file. */
    void noteReader() {
        bytesSinceRead = 0;
    }

    private TailBuffer last() {
        return buffers.get(buffers.size() - 1);
    }

    /** True if all batches are settled, and more bytes than the tail may hold were appended since the last read. */
    boolean hasNoReader() {
        return bytesSinceRead > shared.settings().tailBytes() && firstUnsettled() == null;
    }

    /** Notes a batch that was written to the file directly. */
    void noteBypass(int size) {
        bytesSinceRead += size;
        if (hasNoReader()) {
            dropAll();
        }
    }

    /** Returns all buffers to the pool; the next buffer has space for as many bytes as they held together. */
    private void replaceBuffers() {
        int needed = 0;
        for (int i = 0; i < buffers.size(); i++) {
            needed += buffers.get(i).written();
        }
        dropAll();
        lastSize = powerOfTwoFrom(needed) / 2;
    }

    private boolean extend(SegmentFile active, long end, int size) {
        int largest = shared.tails().largest();
        int smallest = Math.max(TailBuffers.SMALLEST, powerOfTwoFrom(size));
        if (smallest > largest) {
            return false;
        }
        int wanted = Math.max(smallest, Math.min(largest, 2 * lastSize));
        dropOldest(shared.settings().tailBytes() - wanted);
        if (bytes + wanted > LEAD_FACTOR * shared.settings().tailBytes()) {
            return false;
        }
        ByteBuffer buffer = shared.tails().take(wanted);
        if (buffer == null && smallest < wanted) {
            buffer = shared.tails().take(smallest);
        }
        if (buffer == null) {
            return false;
        }
        lastSize = buffer.capacity();
        bytes += lastSize;
        buffers.add(new TailBuffer(shared.tails(), buffer, active, active.size(), end));
        return true;
    }

    private static int powerOfTwoFrom(int size) {
        return size <= 1 ? 1 : Integer.highestOneBit(size - 1) << 1;
    }

    /** Drops the oldest settled buffers until no more than {@code keep} bytes are left. */
    private void dropOldest(int keep) {
        while (bytes > keep && !buffers.isEmpty() && buffers.get(0).isSettled()) {
            drop(0);
        }
    }

    /** Returns all buffers to the pool; batches that are not settled are lost. */
    void dropAll() {
        while (!buffers.isEmpty()) {
            drop(buffers.size() - 1);
        }
        lastSize = 0;
    }

    /** Gives back the buffers of sealed segments, all of which is in their files. */
    void drop(List<SegmentFile> sealed) {
        for (int i = buffers.size() - 1; i >= 0; i--) {
            if (sealed.contains(buffers.get(i).segment)) {
                drop(i);
            }
        }
    }

    private void drop(int index) {
        TailBuffer dropped = buffers.remove(index);
        bytes -= dropped.capacity();
        dropped.release();
    }

    TailBuffer firstUnsettled() {
        for (int i = 0; i < buffers.size(); i++) {
            if (!buffers.get(i).isSettled()) {
                return buffers.get(i);
            }
        }
        return null;
    }

    boolean holds(long offset) {
        return indexOf(offset) >= 0;
    }

    private int indexOf(long offset) {
        for (int i = buffers.size() - 1; i >= 0; i--) {
            if (buffers.get(i).holds(offset)) {
                return i;
            }
        }
        return -1;
    }

    /** Reads batches from memory; null if the batch that holds {@code from} is not in the tail. */
    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        int index = indexOf(from);
        if (index < 0) {
            return null;
        }
        Pin pin = new Pin(shared.counters());
        TailBuffer buffer = buffers.get(index);
        int at = buffer.indexOf(from);
        int left = maxBytes;
        while (true) {
            int length = buffer.bytesBelow(limit, at, left, atLeastOne && pin.isEmpty());
            pin.add(buffer, at, length);
            left -= length;
            boolean whole = at + length == buffer.written();
            long next = whole ? buffer.nextOffset() : buffer.baseOffsetAt(at + length);
            index++;
            if (!whole || left <= 0 || index == buffers.size() || buffers.get(index).lowOffset != next) {
                return pin.records(next);
            }
            buffer = buffers.get(index);
            at = 0;
        }
    }

    /** Retains the buffers of one read until the reader releases them. */
    private static final class Pin implements Runnable {
        private final LogCounters counters;
        private final List<TailBuffer> held = new ArrayList<>(2);
        private final List<ByteBuffer> slices = new ArrayList<>(2);
        private int bytes;

        Pin(LogCounters counters) {
            this.counters = counters;
        }

        boolean isEmpty() {
            return held.isEmpty();
        }

        void add(TailBuffer buffer, int from, int length) {
            if (length > 0) {
                buffer.retain();
                held.add(buffer);
                slices.add(buffer.slice(from, length));
                bytes += length;
            }
        }

        Records records(long nextOffset) {
            if (held.isEmpty()) {
                return Records.EMPTY;
            }
            counters.pinnedBytes.add(bytes);
            return new Records.InMemory(slices, nextOffset, this);
        }

        @Override
        public void run() {
            counters.pinnedBytes.add(-bytes);
            for (int i = 0; i < held.size(); i++) {
                held.get(i).release();
            }
        }
    }
}
