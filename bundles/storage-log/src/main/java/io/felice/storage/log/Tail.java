package io.felice.storage.log;

import io.felice.api.RecordBatch;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The end of a log in memory: what is not settled yet, and, for readers, what was settled lately. Buffers begin small and
 * grow with the partition's traffic. Where nobody reads, one buffer is used again and again, so that it stays in the
 * processor's cache and leaves the memory to others. The log's monitor guards it.
 */
final class Tail {
    /** An owner may run ahead of a slow disk by so many times the tail's normal size before it has to settle itself. */
    private static final int LEAD_FACTOR = 4;

    private final LogResources shared;
    private final List<TailBuffer> buffers = new ArrayList<>();
    private int bytes;
    private int lastSize;
    /** Appended since somebody read the log. */
    private long bytesSinceRead;

    Tail(LogResources shared) {
        this.shared = shared;
    }

    /** True if the batch can be appended now; takes another buffer from the pool if that is what it needs. */
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

    /** Somebody reads the log, from here or from its files. */
    void noteReader() {
        bytesSinceRead = 0;
    }

    private TailBuffer last() {
        return buffers.get(buffers.size() - 1);
    }

    /** True if all of it is in the files, and as much as it may hold was appended without anybody reading. */
    boolean hasNoReader() {
        return bytesSinceRead > shared.settings().tailBytes() && firstUnsettled() == null;
    }

    /** Notes a batch that went straight to the file, after all before it. */
    void noteBypass(int size) {
        bytesSinceRead += size;
        if (hasNoReader()) {
            dropAll();
        }
    }

    /** Gives back all buffers; the next one is as large as was needed since the last time, so that it is one. */
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

    /** Gives back all buffers; what was not settled is lost. */
    void dropAll() {
        while (!buffers.isEmpty()) {
            drop(buffers.size() - 1);
        }
        lastSize = 0;
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

    /** Pinned batches from memory; null if the batch that holds {@code from} is not there. */
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

    /** Holds the buffers of one read. */
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
