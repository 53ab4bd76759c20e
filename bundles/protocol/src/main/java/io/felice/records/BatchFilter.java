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
 * Removes records from batches, for compaction. The remaining records keep their offsets and timestamps. A batch keeps
 * its codec, its first and last offset, its leader epoch, and the producer's sequence numbers. A batch whose tombstones
 * are kept for the first time gets a <em>delete horizon</em>: the time from which its tombstones may be removed
 * (KIP-534). Thread-safe if the rule is.
 */
public final class BatchFilter {
    private static final int NO_LIMIT = Integer.MAX_VALUE - 8;

    /** Decides which records are kept. */
    @FunctionalInterface
    public interface Rule {
        /**
         * @param key null if the record has no key; valid only during the call
         * @param expired true for a tombstone after the delete horizon of its batch
         * @return true if the record is kept
         */
        boolean keeps(long offset, ByteBuffer key, boolean expired);
    }

    private final long now;
    private final long deleteRetentionMs;
    private final Rule rule;

    /**
     * @param now the current time, in milliseconds since the epoch
     * @param deleteRetentionMs the milliseconds from {@code now} to the delete horizon of a batch that has none yet
     */
    public BatchFilter(long now, long deleteRetentionMs, Rule rule) {
        this.now = now;
        this.deleteRetentionMs = Math.min(deleteRetentionMs, Long.MAX_VALUE - now);
        this.rule = rule;
    }

    /**
     * Removes the records of a batch that the rule does not keep. Control batches are not changed.
     *
     * @param evenIfEmpty true to keep the header of a batch that loses all its records
     * @return {@code batch} itself if nothing changes; a batch with its own bytes if something changes; empty if no
     *     record is left and {@code evenIfEmpty} is false
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the batch's checksum is wrong or its records cannot be
     *     read
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
