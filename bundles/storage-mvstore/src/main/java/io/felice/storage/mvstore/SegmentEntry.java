package io.felice.storage.mvstore;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * What the newest store file says of a segment.
 *
 * <pre>
 *  byte  0  format         int8    1
 *        1  log            int32   its log's number
 *        5  generation     int32   of the store file that has its batches
 *        9  base           int64   its first offset
 *       17  next           int64   the offset after its last batch; what the file has from there on was truncated
 *       25  bytes          int64   of its batches
 *       33  maxTimestamp   int64   milliseconds
 *       41  createdAt      int64   milliseconds
 *       49  flags          int8    bit 0: sealed
 *       50  crc            int32   of all before
 * </pre>
 */
record SegmentEntry(
        int log, int generation, long base, long next, long bytes, long maxTimestamp, long createdAt, boolean sealed) {
    private static final byte FORMAT = 1;
    private static final int FIXED_BYTES = 50;

    /** The same offsets without a batch. */
    SegmentEntry emptied(int newGeneration) {
        return new SegmentEntry(log, newGeneration, base, next, 0, RecordBatch.NO_TIMESTAMP, createdAt, true);
    }

    /** The segment without its last batches, sealed. */
    SegmentEntry cutAt(long newNext, long newBytes, long newMaxTimestamp) {
        return new SegmentEntry(log, generation, base, newNext, newBytes, newMaxTimestamp, createdAt, true);
    }

    /** The same segment in another store file. */
    SegmentEntry movedTo(int newGeneration) {
        return new SegmentEntry(log, newGeneration, base, next, bytes, maxTimestamp, createdAt, sealed);
    }

    ByteBuffer encode() {
        ByteBuffer encoded = ByteBuffer.allocate(FIXED_BYTES + Checked.BYTES);
        encoded.put(FORMAT);
        encoded.putInt(log);
        encoded.putInt(generation);
        encoded.putLong(base);
        encoded.putLong(next);
        encoded.putLong(bytes);
        encoded.putLong(maxTimestamp);
        encoded.putLong(createdAt);
        encoded.put((byte) (sealed ? 1 : 0));
        return Checked.close(encoded);
    }

    static SegmentEntry decode(ByteBuffer value) throws IOException {
        ByteBuffer bytes = Checked.open(value, FORMAT, FIXED_BYTES - 1);
        return new SegmentEntry(
                bytes.getInt(),
                bytes.getInt(),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong(),
                (bytes.get() & 1) != 0);
    }
}
