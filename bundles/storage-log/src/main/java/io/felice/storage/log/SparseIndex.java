package io.felice.storage.log;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The sparse index of one segment in memory: finds batches by offset and by timestamp. Reads and writes the formats of
 * Kafka's index files.
 *
 * <pre>
 *  .index      last offset of a batch - base offset   int32
 *              position of that batch                 int32
 *  .timeindex  largest timestamp so far               int64
 *              last offset of its batch - base offset int32
 * </pre>
 *
 * <p>Thread-safe: readers look up while the appender adds.
 */
final class SparseIndex {
    static final int OFFSET_ENTRY_BYTES = 8;
    static final int TIME_ENTRY_BYTES = 12;

    private static final int FIRST_CAPACITY = 8;
    private static final long[] NONE = {};

    private final long baseOffset;
    /** Each entry has a relative offset in the upper 32 bits and a position in the lower 32 bits; both ascend. */
    private long[] entries = NONE;

    private int count;
    /** Each entry has two elements: a timestamp and a relative offset; both ascend. */
    private long[] times = NONE;

    private int timeCount;

    SparseIndex(long baseOffset) {
        this.baseOffset = baseOffset;
    }

    synchronized void add(long lastOffset, long position) {
        if (count == entries.length) {
            entries = Arrays.copyOf(entries, Math.max(FIRST_CAPACITY, 2 * count));
        }
        entries[count++] = (lastOffset - baseOffset) << 32 | position;
    }

    /** What it takes on the heap. */
    synchronized long heapBytes() {
        return (long) Long.BYTES * (entries.length + times.length);
    }

    /** Adds an entry if the timestamp is larger than all earlier ones. */
    synchronized void addTime(long timestamp, long offset) {
        if (timeCount > 0 && timestamp <= times[2 * timeCount - 2]) {
            return;
        }
        if (2 * timeCount == times.length) {
            times = Arrays.copyOf(times, Math.max(FIRST_CAPACITY, 4 * timeCount));
        }
        times[2 * timeCount] = timestamp;
        times[2 * timeCount + 1] = offset - baseOffset;
        timeCount++;
    }

    /** The position of the last indexed batch whose last offset is at or below {@code offset}; 0 if there is none. */
    synchronized long positionAtOrBelowOffset(long offset) {
        int low = 0;
        int high = count;
        long relative = offset - baseOffset;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (entries[middle] >>> 32 <= relative) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? 0 : positionOf(low - 1);
    }

    /** The last indexed position at or below {@code position}; 0 if there is none. */
    synchronized long positionAtOrBelow(long position) {
        int entry = entryAtOrBelow(position);
        return entry < 0 ? 0 : positionOf(entry);
    }

    /** The last offset of the last indexed batch that starts at or below {@code position}; -1 if there is none. */
    synchronized long lastOffsetAtOrBelow(long position) {
        int entry = entryAtOrBelow(position);
        return entry < 0 ? -1 : baseOffset + (entries[entry] >>> 32);
    }

    /** The last offset of the indexed batch that starts at {@code position}; -1 if there is no entry for it. */
    synchronized long lastOffsetOfEntryAt(long position) {
        int entry = entryAtOrBelow(position);
        return entry < 0 || positionOf(entry) != position ? -1 : baseOffset + (entries[entry] >>> 32);
    }

    /** The first indexed position above {@code position}; -1 if there is none. */
    synchronized long positionAbove(long position) {
        int entry = entryAtOrBelow(position) + 1;
        return entry == count ? -1 : positionOf(entry);
    }

    private int entryAtOrBelow(long position) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (positionOf(middle) <= position) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    private long positionOf(int entry) {
        return entries[entry] & 0xFFFF_FFFFL;
    }

    /**
     * An offset at which a scan for a timestamp may begin: no batch below has a timestamp of at least
     * {@code timestamp}. The base offset if all indexed timestamps are larger.
     */
    synchronized long offsetBefore(long timestamp) {
        int entry = timeCount - 1;
        while (entry >= 0 && times[2 * entry] > timestamp) {
            entry--;
        }
        return entry < 0 ? baseOffset : baseOffset + times[2 * entry + 1];
    }

    /** The largest indexed timestamp of an offset at or below {@code offset}; -1 if there is none. */
    synchronized long timestampAtOrBelow(long offset) {
        int entry = timeEntryAtOrBelow(offset);
        return entry < 0 ? -1 : times[2 * entry];
    }

    /** The offset of the timestamp that {@link #timestampAtOrBelow} returns; the base offset if there is none. */
    synchronized long timedOffsetAtOrBelow(long offset) {
        int entry = timeEntryAtOrBelow(offset);
        return entry < 0 ? baseOffset : baseOffset + times[2 * entry + 1];
    }

    private int timeEntryAtOrBelow(long offset) {
        int entry = timeCount - 1;
        while (entry >= 0 && baseOffset + times[2 * entry + 1] > offset) {
            entry--;
        }
        return entry;
    }

    /** Removes the entries of the batches from {@code position} on, whose offsets begin at {@code end}. */
    synchronized void truncateTo(long position, long end) {
        count = entryAtOrBelow(position - 1) + 1;
        timeCount = timeEntryAtOrBelow(end - 1) + 1;
    }

    synchronized int sizeInBytes() {
        return count * OFFSET_ENTRY_BYTES;
    }

    synchronized ByteBuffer offsetFile() {
        ByteBuffer file = ByteBuffer.allocate(count * OFFSET_ENTRY_BYTES);
        for (int i = 0; i < count; i++) {
            file.putLong(entries[i]);
        }
        return file.flip();
    }

    synchronized ByteBuffer timeFile() {
        ByteBuffer file = ByteBuffer.allocate(timeCount * TIME_ENTRY_BYTES);
        for (int i = 0; i < timeCount; i++) {
            file.putLong(times[2 * i]).putInt((int) times[2 * i + 1]);
        }
        return file.flip();
    }

    /**
     * Reads an index from the contents of its two files; null if they cannot belong to a segment of this size, or have
     * entries of zeros, which a power cut leaves.
     */
    static SparseIndex of(long baseOffset, long segmentBytes, ByteBuffer offsets, ByteBuffer times) {
        if (offsets.remaining() % OFFSET_ENTRY_BYTES != 0 || times.remaining() % TIME_ENTRY_BYTES != 0) {
            return null;
        }
        SparseIndex index = new SparseIndex(baseOffset);
        return index.readOffsets(offsets, segmentBytes) && index.readTimes(times) ? index : null;
    }

    private boolean readOffsets(ByteBuffer file, long segmentBytes) {
        count = file.remaining() / OFFSET_ENTRY_BYTES;
        entries = new long[count];
        for (int i = 0; i < count; i++) {
            entries[i] = file.getLong();
            boolean ascends =
                    i == 0 || (entries[i] >>> 32 > entries[i - 1] >>> 32 && positionOf(i) > positionOf(i - 1));
            if (entries[i] < 0 || positionOf(i) >= segmentBytes || !ascends) {
                return false;
            }
        }
        return true;
    }

    private boolean readTimes(ByteBuffer file) {
        timeCount = file.remaining() / TIME_ENTRY_BYTES;
        times = new long[2 * timeCount];
        for (int i = 0; i < timeCount; i++) {
            times[2 * i] = file.getLong();
            times[2 * i + 1] = file.getInt();
            boolean ascends = i == 0 || (times[2 * i] > times[2 * i - 2] && times[2 * i + 1] >= times[2 * i - 1]);
            boolean zeros = times[2 * i] == 0 && times[2 * i + 1] == 0;
            if (times[2 * i + 1] < 0 || zeros || !ascends) {
                return false;
            }
        }
        return true;
    }
}
