package io.felice.storage.log;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/** Reads the batch headers of a segment file one after the other, through a buffer (the window). For one thread. */
final class BatchScan {
    private final DiskFiles files;
    private final FileChannel channel;
    private final ByteBuffer window;
    private final CRC32C crc = new CRC32C();

    private long windowAt;
    private int windowBytes;

    private long position;
    private long baseOffset;
    private long lastOffset;
    private long maxTimestamp;
    private int size;
    private int storedCrc;

    BatchScan(DiskFiles files, FileChannel channel, ByteBuffer window) {
        this.files = files;
        this.channel = channel;
        this.window = window;
    }

    /**
     * Reads the header at the position {@code at}; false if no whole batch of magic 2 can be between it and
     * {@code end}.
     */
    boolean header(long at, long end) throws IOException {
        if (end - at < RecordBatch.HEADER_BYTES || !see(at, RecordBatch.HEADER_BYTES, end)) {
            return false;
        }
        RecordBatch batch = new RecordBatch(window, (int) (at - windowAt));
        position = at;
        size = batch.sizeInBytes();
        baseOffset = batch.baseOffset();
        lastOffset = batch.lastOffset();
        maxTimestamp = batch.maxTimestamp();
        storedCrc = (int) batch.crc();
        return size >= RecordBatch.HEADER_BYTES
                && size <= end - at
                && batch.magic() == RecordBatch.MAGIC
                && baseOffset >= 0
                && lastOffset >= baseOffset;
    }

    /** Moves the window if it does not show the bytes from {@code at} on; false if the file ends before them. */
    private boolean see(long at, int bytes, long end) throws IOException {
        if (at >= windowAt && at + bytes <= windowAt + windowBytes) {
            return true;
        }
        window.clear().limit((int) Math.min(window.capacity(), end - at));
        files.read(channel, window, at);
        windowAt = at;
        windowBytes = window.position();
        window.clear();
        return bytes <= windowBytes;
    }

    /** True if the CRC of the batch that {@link #header} read last is right. */
    boolean crcIsRight() throws IOException {
        crc.reset();
        long at = position + RecordBatch.ATTRIBUTES_AT;
        long end = position + size;
        while (at < end) {
            if (!see(at, 1, end)) {
                return false;
            }
            int from = (int) (at - windowAt);
            int to = (int) Math.min(windowBytes, end - windowAt);
            crc.update(window.limit(to).position(from));
            window.clear();
            at = windowAt + to;
        }
        return (int) crc.getValue() == storedCrc;
    }

    long baseOffset() {
        return baseOffset;
    }

    long lastOffset() {
        return lastOffset;
    }

    long nextOffset() {
        return lastOffset + 1;
    }

    long maxTimestamp() {
        return maxTimestamp;
    }

    int size() {
        return size;
    }
}
