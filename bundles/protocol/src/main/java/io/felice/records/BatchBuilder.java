package io.felice.records;

import io.felice.api.RecordBatch;
import io.felice.api.RecordHeader;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * Builds one uncompressed batch for state that the broker itself writes, such as committed offsets. The offsets start
 * at 0; the leader stamps the final base offset at the append. Not thread-safe; a builder builds one batch.
 */
public final class BatchBuilder {
    private static final int INITIAL_BYTES = 512;
    private static final Header[] NO_HEADERS = new Header[0];

    private final MemoryRecordsBuilder records;

    public BatchBuilder() {
        this(RecordBatch.NO_PRODUCER_ID, (short) -1, -1);
    }

    /** A builder for a batch of an idempotent producer. */
    public BatchBuilder(long producerId, short producerEpoch, int baseSequence) {
        records = MemoryRecords.builder(
                ByteBuffer.allocate(INITIAL_BYTES),
                RecordBatch.MAGIC,
                Compression.NONE,
                TimestampType.CREATE_TIME,
                0L,
                RecordBatch.NO_TIMESTAMP,
                producerId,
                producerEpoch,
                baseSequence,
                false,
                -1);
    }

    /** @param timestamp milliseconds since the epoch; {@code key} and {@code value} may be null */
    public BatchBuilder add(long timestamp, byte[] key, byte[] value) {
        records.append(new SimpleRecord(timestamp, key, value, NO_HEADERS));
        return this;
    }

    /** @param timestamp milliseconds since the epoch; {@code key} and {@code value} may be null, and are not moved */
    public BatchBuilder add(long timestamp, ByteBuffer key, ByteBuffer value, List<RecordHeader> headers) {
        Header[] kafkas = headers.stream()
                .map(header -> new org.apache.kafka.common.header.internals.RecordHeader(header.name(), header.value()))
                .toArray(Header[]::new);
        records.append(new SimpleRecord(timestamp, key, value, kafkas));
        return this;
    }

    public int count() {
        return records.numRecords();
    }

    /** The bytes of the batch so far, including the header. */
    public int sizeInBytes() {
        return records.estimatedSizeInBytes();
    }

    /** Returns the batch. No record can be added afterwards. */
    public RecordBatch build() {
        return RecordBatch.at(records.build().buffer());
    }
}
