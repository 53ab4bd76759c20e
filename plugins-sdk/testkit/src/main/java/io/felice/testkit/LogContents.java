package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Copies records and whole logs into byte arrays for tests. */
public final class LogContents {
    private static final int CHUNK = 1 << 20;

    private LogContents() {}

    /** A copy of the bytes of the records, in memory or in a file. The records stay open. */
    public static byte[] bytesOf(Records records) {
        if (records instanceof Records.InMemory memory) {
            ByteArrayOutputStream all = new ByteArrayOutputStream(records.sizeInBytes());
            for (ByteBuffer buffer : memory.buffers()) {
                byte[] part = new byte[buffer.remaining()];
                buffer.duplicate().get(part);
                all.writeBytes(part);
            }
            return all.toByteArray();
        }
        return bytesOf((Records.InFile) records);
    }

    private static byte[] bytesOf(Records.InFile file) {
        ByteBuffer all = ByteBuffer.allocate(file.sizeInBytes());
        try {
            while (all.hasRemaining() && file.channel().read(all, file.position() + all.position()) > 0) {}
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        assertThat(all.remaining()).as("bytes missing in the file").isZero();
        return all.array();
    }

    /** The batches in the bytes. Fails if the last batch is not complete. */
    public static List<RecordBatch> batchesIn(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        List<RecordBatch> batches = new ArrayList<>();
        int at = 0;
        while (at < bytes.length) {
            assertThat(bytes.length - at)
                    .as("bytes of a whole header")
                    .isGreaterThanOrEqualTo(RecordBatch.HEADER_BYTES);
            RecordBatch batch = new RecordBatch(buffer, at);
            at += batch.sizeInBytes();
            assertThat(at).as("end of a whole batch").isLessThanOrEqualTo(bytes.length);
            batches.add(batch);
        }
        return batches;
    }

    /** The base offsets of the batches, in order. Closes the records. */
    public static List<Long> offsetsOf(Records records) {
        try (records) {
            return batchesIn(bytesOf(records)).stream()
                    .map(RecordBatch::baseOffset)
                    .toList();
        }
    }

    /** The bytes of all batches from the start to the end of the log. */
    public static byte[] everythingIn(PartitionLog log) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long next = log.startOffset();
        while (next < log.endOffset()) {
            try (Records records = log.read(next, Long.MAX_VALUE, CHUNK, true)) {
                byte[] bytes = bytesOf(records);
                if (bytes.length == 0) {
                    break;
                }
                all.writeBytes(bytes);
                List<RecordBatch> batches = batchesIn(bytes);
                next = batches.get(batches.size() - 1).nextOffset();
            }
        }
        return all.toByteArray();
    }
}
