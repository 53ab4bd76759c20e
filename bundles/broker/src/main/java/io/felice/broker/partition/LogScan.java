package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.records.Batches;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Predicate;

/** Reads the batches of a log in order, for openings, searches and compaction. May read from disk: pool threads only. */
final class LogScan {
    private static final int CHUNK_BYTES = 1 << 20;

    private LogScan() {}

    /**
     * Visits every batch from the one that holds offset {@code from} up to offset {@code limit}. The bytes of a batch
     * are valid during the visit only.
     *
     * @param visitor returns false to stop
     */
    static void walk(PartitionLog log, long from, long limit, Predicate<RecordBatch> visitor) {
        walk(log, from, limit, CHUNK_BYTES, visitor);
    }

    /** @param chunkBytes so many bytes are read at a time, or one batch */
    static void walk(PartitionLog log, long from, long limit, int chunkBytes, Predicate<RecordBatch> visitor) {
        long offset = from;
        while (offset < limit) {
            long next = walkChunk(log, offset, limit, chunkBytes, visitor);
            if (next <= offset) {
                return;
            }
            offset = next;
        }
    }

    /** @return the offset to read next; -1 at the end or if the visitor stopped */
    private static long walkChunk(
            PartitionLog log, long from, long limit, int chunkBytes, Predicate<RecordBatch> visitor) {
        try (Records records = log.read(from, limit, chunkBytes, true)) {
            long next = -1;
            for (ByteBuffer bytes : buffersOf(records)) {
                for (RecordBatch batch : Batches.split(bytes)) {
                    if (!visitor.test(batch)) {
                        return -1;
                    }
                    next = batch.nextOffset();
                }
            }
            return next;
        }
    }

    /** Reads the bytes if they are in a file. */
    static List<ByteBuffer> buffersOf(Records records) {
        if (records instanceof Records.InMemory inMemory) {
            return inMemory.buffers();
        }
        return List.of(read((Records.InFile) records));
    }

    private static ByteBuffer read(Records.InFile range) {
        ByteBuffer bytes = ByteBuffer.allocate(range.sizeInBytes());
        try {
            while (bytes.hasRemaining()) {
                if (range.channel().read(bytes, range.position() + bytes.position()) < 0) {
                    throw KAFKA_STORAGE_ERROR.because("The file ends within a batch");
                }
            }
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because("A segment cannot be read: " + failure.getMessage(), failure);
        }
        return bytes.flip();
    }
}
