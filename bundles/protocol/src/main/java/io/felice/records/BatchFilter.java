package io.felice.records;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;

import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetention;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetentionResult;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;

/**
 * Leaves records out of batches, as compaction does. What stays keeps its offset, its timestamp and its codec; a batch
 * keeps its first and last offset, its leader epoch, and its producer's sequence. A batch in which a tombstone stays for
 * the first time is given a <em>delete horizon</em>, the time from which the tombstone may go. Thread-safe if its rule is.
 */
public final class BatchFilter {
    private static final int NO_LIMIT = Integer.MAX_VALUE - 8;

    /** Says which records stay. */
    @FunctionalInterface
    public interface Rule {
        /**
         * @param key null if it has none; valid during the call only
         * @param expired true for a tombstone whose batch's delete horizon has passed
         * @return true if the record stays
         */
        boolean keeps(long offset, ByteBuffer key, boolean expired);
    }

    private final long now;
    private final long deleteRetentionMs;
    private final Rule rule;

    /**
     * @param now milliseconds since the epoch
     * @param deleteRetentionMs how long after {@code now} a tombstone without a delete horizon may go at the earliest
     */
    public BatchFilter(long now, long deleteRetentionMs, Rule rule) {
        this.now = now;
        this.deleteRetentionMs = Math.min(deleteRetentionMs, Long.MAX_VALUE - now);
        this.rule = rule;
    }

    /**
     * What is left of a batch. Control batches stay as they are.
     *
     * @param evenIfEmpty keeps the header of a batch that loses all its records
     * @return the same view if nothing changes, a batch with bytes of its own if something does, nothing if nothing is left
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the batch's checksum is wrong or its records cannot be read
     */
    public Optional<RecordBatch> filter(RecordBatch batch, boolean evenIfEmpty) {
        Batches.checkCrc(batch);
        if (batch.isControl()) {
            return Optional.of(batch);
        }
        ByteBuffer left = left(batch, evenIfEmpty ? BatchRetention.RETAIN_EMPTY : BatchRetention.DELETE_EMPTY);
        if (!left.hasRemaining()) {
            return Optional.empty();
        }
        return Optional.of(left.equals(batch.bytes()) ? batch : RecordBatch.at(left));
    }

    private ByteBuffer left(RecordBatch batch, BatchRetention retention) {
        MemoryRecords records = MemoryRecords.readableRecords(batch.bytes());
        ByteBuffer target = ByteBuffer.allocate(batch.sizeInBytes());
        try (BufferSupplier buffers = BufferSupplier.create()) {
            return records.filterTo(filter(retention), target, buffers, NO_LIMIT)
                    .outputBuffer()
                    .flip();
        } catch (org.apache.kafka.common.KafkaException unreadable) {
            throw CORRUPT_MESSAGE.because(
                    "Batch at offset " + batch.baseOffset() + " cannot be read: " + unreadable.getMessage(),
                    unreadable);
        }
    }

    private MemoryRecords.RecordFilter filter(BatchRetention retention) {
        return new MemoryRecords.RecordFilter(now, deleteRetentionMs) {
            @Override
            protected BatchRetentionResult checkBatchRetention(
                    org.apache.kafka.common.record.internal.RecordBatch batch) {
                return new BatchRetentionResult(retention, false);
            }

            @Override
            protected boolean shouldRetainRecord(
                    org.apache.kafka.common.record.internal.RecordBatch batch, Record record) {
                OptionalLong horizon = batch.deleteHorizonMs();
                boolean expired = !record.hasValue() && horizon.isPresent() && horizon.getAsLong() <= now;
                return rule.keeps(record.offset(), record.key(), expired);
            }
        };
    }
}
