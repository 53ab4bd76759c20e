package io.felice.records;

import static io.felice.api.ErrorCode.INVALID_RECORD;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.xerial.snappy.SnappyError;

/**
 * Checks the records of one batch without creating an object for each record. Refuses a batch whose body does not match
 * its header. A compressed body is decompressed piece by piece into one buffer, which the next walk uses again.
 *
 * <pre>
 *  length          varint    bytes of the record after this field
 *  attributes      int8
 *  timestampDelta  varlong   milliseconds, added to the batch's base timestamp
 *  offsetDelta     varint    0 for the first record, one more for each next one
 *  keyLength       varint    -1 for no key; the key follows
 *  valueLength     varint    -1 for no value; the value follows
 *  headers         varint    their number; each has a key length, a key, a value length (-1 for none), a value
 * </pre>
 *
 * <p>One thread at a time. Source: Kafka protocol guide, "Record" (KIP-82, KIP-98).
 */
public final class RecordWalk {
    private static final int WINDOW_BYTES = 16 << 10;
    private static final int VARINT_BITS = 35;
    private static final int VARLONG_BITS = 70;

    private final BufferSupplier codecBuffers = BufferSupplier.create();
    private final byte[] window = new byte[WINDOW_BYTES];

    // The state of the current walk. The body is null if the batch is not compressed.
    private InputStream body;
    /** Null if the decompressed records are not wanted. */
    private OutputStream copy;

    private ByteBuffer readable;
    private int index;
    private long left;
    private int at;

    /** Checks each record. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * @param index the index of the record in the batch; the first record has 0
         * @param timestamp milliseconds since the epoch
         * @throws FeliceException to refuse the batch
         */
        void record(int index, long timestamp, boolean hasKey);
    }

    /**
     * Passes every record of a batch to the visitor. The caller has checked the batch header.
     *
     * @param maxRecordBytes the size of the largest record that is accepted, after decompression
     * @throws FeliceException INVALID_RECORD if the body cannot be decompressed, if the length or the offset delta of a
     *     record is wrong, or if the body has fewer or more records than the header says; or the exception of the
     *     visitor
     */
    public void walk(RecordBatch batch, int maxRecordBytes, Visitor visitor) {
        walk(batch, maxRecordBytes, visitor, null);
    }

    /** @param records gets the decompressed records; also the first ones of a body that is refused; null if not wanted */
    void walk(RecordBatch batch, int maxRecordBytes, Visitor visitor, OutputStream records) {
        copy = records;
        try {
            walkBody(batch, maxRecordBytes, visitor);
        } finally {
            copy = null;
        }
    }

    private void walkBody(RecordBatch batch, int maxRecordBytes, Visitor visitor) {
        ByteBuffer bytes = batch.bytes().position(RecordBatch.HEADER_BYTES);
        index = 0;
        if (batch.codec() == 0) {
            body = null;
            readable = bytes.duplicate();
            walkRecords(batch, maxRecordBytes, visitor);
            copyUncompressed(bytes);
            return;
        }
        if (batch.codec() == CompressionType.SNAPPY.id) {
            SnappyLengths.check(bytes);
        }
        readable = ByteBuffer.wrap(window).limit(0);
        try (InputStream decompressed = decompressed(batch.codec(), bytes)) {
            body = decompressed;
            walkRecords(batch, maxRecordBytes, visitor);
        } catch (FeliceException refused) {
            throw refused;
        } catch (IOException | RuntimeException | SnappyError unreadable) {
            throw undecodable(batch, unreadable);
        } finally {
            body = null;
        }
    }

    private void copyUncompressed(ByteBuffer records) {
        while (copy != null && records.hasRemaining()) {
            int step = Math.min(window.length, records.remaining());
            records.get(window, 0, step);
            copy(step);
        }
    }

    /** Copies the first bytes of the window. */
    private void copy(int count) {
        try {
            copy.write(window, 0, count);
        } catch (IOException failure) {
            throw new IllegalStateException("records cannot be copied in memory", failure);
        }
    }

    private InputStream decompressed(int codec, ByteBuffer bytes) {
        return Compression.of(CompressionType.forId(codec))
                .build()
                .wrapForInput(bytes, RecordBatch.MAGIC, codecBuffers);
    }

    private static FeliceException undecodable(RecordBatch batch, Throwable cause) {
        return INVALID_RECORD.because(
                "The batch's records cannot be decompressed with codec " + batch.codec() + ": " + cause, cause);
    }

    private void walkRecords(RecordBatch batch, int maxRecordBytes, Visitor visitor) {
        long baseTimestamp = batch.baseTimestamp();
        for (int count = batch.recordCount(); index < count; index++) {
            left = VARINT_BITS;
            int size = (int) length(0, maxRecordBytes, "length");
            if (size <= readable.remaining()) {
                walkHere(size, baseTimestamp, visitor);
            } else {
                walkInPieces(size, baseTimestamp, visitor);
            }
        }
        if (hasMore()) {
            throw INVALID_RECORD.because(
                    "The batch says it has " + batch.recordCount() + " records, but there are bytes behind the last");
        }
    }

    // ---- a record that is in the buffer as a whole: the fast path, because most records are

    private void walkHere(int size, long baseTimestamp, Visitor visitor) {
        ByteBuffer bytes = readable;
        at = bytes.position();
        int end = at + size;
        at++;
        long timestamp = baseTimestamp + number(bytes, end, VARLONG_BITS);
        long offsetDelta = number(bytes, end, VARINT_BITS);
        if (offsetDelta != index) {
            throw wrong("has the offset delta " + offsetDelta);
        }
        long key = field(bytes, end, -1, "key length");
        field(bytes, end, -1, "value length");
        long headers = number(bytes, end, VARINT_BITS);
        if (headers < 0 || headers > size) {
            throw wrong("has the number of headers " + headers);
        }
        for (; headers > 0; headers--) {
            field(bytes, end, 0, "header key length");
            field(bytes, end, -1, "header value length");
        }
        if (at != end) {
            throw wrong("says it has " + size + " bytes, which its fields do not fill exactly");
        }
        bytes.position(end);
        visitor.record(index, timestamp, key >= 0);
    }

    /** Skips a length and the field after it. Returns the length. */
    private long field(ByteBuffer bytes, int end, int least, String what) {
        long length = number(bytes, end, VARINT_BITS);
        if (length < least || length > end - at) {
            throw wrong("has the " + what + " " + length);
        }
        at += (int) Math.max(0, length);
        return length;
    }

    private long number(ByteBuffer bytes, int end, int mostBits) {
        if (at < end) {
            byte only = bytes.get(at);
            if (only >= 0) {
                at++;
                return only >>> 1 ^ -(only & 1);
            }
        }
        long value = 0;
        for (int shift = 0; shift < mostBits && at < end; shift += 7) {
            byte next = bytes.get(at++);
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value >>> 1 ^ -(value & 1);
            }
        }
        throw wrong(at < end ? "has a number that is too long" : "ends within a field");
    }

    // ---- a record that is only in part in the buffer

    private void walkInPieces(long size, long baseTimestamp, Visitor visitor) {
        left = size;
        oneByte();
        long timestamp = baseTimestamp + varlong();
        int offsetDelta = varint();
        if (offsetDelta != index) {
            throw wrong("has the offset delta " + offsetDelta);
        }
        long key = skipped(length(-1, left, "key length"));
        skipped(length(-1, left, "value length"));
        skipHeaders();
        if (left != 0) {
            throw wrong("says it has " + size + " bytes, which its fields do not fill exactly");
        }
        visitor.record(index, timestamp, key >= 0);
    }

    private void skipHeaders() {
        for (long headers = length(0, left, "number of headers"); headers > 0; headers--) {
            skipped(length(0, left, "header key length"));
            skipped(length(-1, left, "header value length"));
        }
    }

    private long length(long least, long most, String what) {
        int length = varint();
        if (length < least || length > most) {
            throw wrong("has the " + what + " " + length);
        }
        return length;
    }

    /** @return {@code bytes} */
    private long skipped(long bytes) {
        long skip = Math.max(0, bytes);
        left -= skip;
        if (left < 0) {
            throw wrong("ends within a field");
        }
        while (skip > 0) {
            if (!readable.hasRemaining() && !refilled()) {
                throw wrong("is cut off");
            }
            int step = (int) Math.min(skip, readable.remaining());
            readable.position(readable.position() + step);
            skip -= step;
        }
        return bytes;
    }

    private byte oneByte() {
        if (--left < 0) {
            throw wrong("ends within a field");
        }
        if (!hasMore()) {
            throw wrong("is cut off");
        }
        return readable.get();
    }

    private boolean hasMore() {
        return readable.hasRemaining() || refilled();
    }

    private boolean refilled() {
        if (body == null) {
            return false;
        }
        try {
            int read = body.read(window, 0, window.length);
            readable.position(0).limit(Math.max(0, read));
            if (read > 0 && copy != null) {
                copy(read);
            }
            return read > 0;
        } catch (IOException unreadable) {
            throw INVALID_RECORD.because("The records cannot be decompressed: " + unreadable.getMessage(), unreadable);
        }
    }

    private int varint() {
        return (int) zigzag(VARINT_BITS);
    }

    private long varlong() {
        return zigzag(VARLONG_BITS);
    }

    private long zigzag(int mostBits) {
        long value = 0;
        for (int shift = 0; shift < mostBits; shift += 7) {
            byte next = oneByte();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value >>> 1 ^ -(value & 1);
            }
        }
        throw wrong("has a number that is too long");
    }

    private FeliceException wrong(String how) {
        return INVALID_RECORD.because("Record " + index + " of the batch " + how);
    }
}
