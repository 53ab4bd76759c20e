package io.felice.records;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;

import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;

/**
 * Reads the records inside batches, with an object for each, for what is replayed, compacted or searched. What a client
 * produces is only walked ({@link RecordWalk}), and what it fetches is not read at all. Stateless; any thread.
 */
public final class RecordReader {
    private RecordReader() {}

    /** What is done with each record. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * @param timestamp milliseconds since the epoch
         * @param key null if it has none; valid during the call only
         * @param value null for a tombstone; valid during the call only
         * @return false to stop
         */
        boolean record(long offset, long timestamp, ByteBuffer key, ByteBuffer value);
    }

    /**
     * Visits the records of one batch in order.
     *
     * @return false if the visitor stopped
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the records cannot be read
     */
    public static boolean read(RecordBatch batch, Visitor visitor) {
        DefaultRecordBatch kafkas = kafkaBatch(batch);
        try (BufferSupplier buffers = BufferSupplier.create();
                CloseableIterator<Record> records = kafkas.streamingIterator(buffers)) {
            while (records.hasNext()) {
                Record record = records.next();
                if (!visitor.record(record.offset(), record.timestamp(), record.key(), record.value())) {
                    return false;
                }
            }
            return true;
        } catch (org.apache.kafka.common.KafkaException unreadable) {
            throw CORRUPT_MESSAGE.because(
                    "Batch at offset " + batch.baseOffset() + " cannot be read: " + unreadable.getMessage(),
                    unreadable);
        }
    }

    /** Visits the records of all batches in {@code batches}, from position to limit. */
    public static void readAll(ByteBuffer batches, Visitor visitor) {
        for (RecordBatch batch : Batches.split(batches)) {
            if (!read(batch, visitor)) {
                return;
            }
        }
    }

    private static DefaultRecordBatch kafkaBatch(RecordBatch batch) {
        return (DefaultRecordBatch)
                MemoryRecords.readableRecords(batch.bytes()).batchIterator().next();
    }
}
