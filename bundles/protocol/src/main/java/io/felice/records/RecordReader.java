package io.felice.records;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;

import io.felice.api.RecordBatch;
import io.felice.api.RecordHeader;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;

/**
 * Reads the records in batches, with an object for each record, when a log is replayed, compacted or searched. The
 * batches of producers are checked by {@link RecordWalk} instead, and the batches of a fetch are sent without being
 * read. Stateless; any thread.
 */
public final class RecordReader {
    private RecordReader() {}

    /** Receives each record. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * @param timestamp milliseconds since the epoch
         * @param key null if the record has no key; valid only during the call
         * @param value null for a tombstone; valid only during the call
         * @return false to stop reading
         */
        boolean record(long offset, long timestamp, ByteBuffer key, ByteBuffer value);
    }

    /** Receives each record with its headers. */
    @FunctionalInterface
    public interface HeaderVisitor {
        /** As {@link Visitor#record}. */
        boolean record(long offset, long timestamp, ByteBuffer key, ByteBuffer value, List<RecordHeader> headers);
    }

    /**
     * Passes the records of one batch to the visitor, in order.
     *
     * @return false if the visitor has stopped the reading
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the records cannot be read
     */
    public static boolean read(RecordBatch batch, Visitor visitor) {
        return visit(
                batch, record -> visitor.record(record.offset(), record.timestamp(), record.key(), record.value()));
    }

    /** As {@link #read}, with headers. */
    public static boolean readWithHeaders(RecordBatch batch, HeaderVisitor visitor) {
        return visit(
                batch,
                record -> visitor.record(
                        record.offset(), record.timestamp(), record.key(), record.value(), headers(record)));
    }

    private static List<RecordHeader> headers(Record record) {
        return Arrays.stream(record.headers())
                .map(header -> new RecordHeader(header.key(), header.value()))
                .toList();
    }

    private static boolean visit(RecordBatch batch, Predicate<Record> visitor) {
        DefaultRecordBatch kafkas = kafkaBatch(batch);
        try (BufferSupplier buffers = BufferSupplier.create();
                CloseableIterator<Record> records = kafkas.streamingIterator(buffers)) {
            while (records.hasNext()) {
                if (!visitor.test(records.next())) {
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

    /**
     * Passes the records of all batches in {@code batches}, from position to limit, to the visitor.
     *
     * @throws io.felice.api.FeliceException as {@link Batches#split} and {@link #read}
     */
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
