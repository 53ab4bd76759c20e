package io.felice.storage.mvstore;

import io.felice.api.RecordBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Checksums over what is stored: MVStore's pages have none over their contents. */
final class Checked {
    /** Bytes of the checksum. */
    static final int BYTES = 4;

    private Checked() {}

    /** Puts the checksum behind what was written. */
    static ByteBuffer close(ByteBuffer bytes) {
        bytes.putInt(crcOf(bytes.slice(0, bytes.position())));
        return bytes.flip();
    }

    /**
     * The contents of an entry, behind the format and without the checksum.
     *
     * @throws IOException if the entry is damaged, or of another format
     */
    static ByteBuffer open(ByteBuffer value, byte format, int leastBytes) throws IOException {
        int contents = value.remaining() - BYTES;
        if (contents < leastBytes + 1
                || value.getInt(value.position() + contents) != crcOf(value.slice(value.position(), contents))) {
            throw new IOException("an entry is damaged");
        }
        ByteBuffer bytes = value.slice(value.position(), contents);
        byte found = bytes.get();
        if (found != format) {
            throw new IOException("an entry has format " + found + ", this version reads format " + format + " only");
        }
        return bytes;
    }

    /** @throws IOException if the checksum of a batch is not that of its bytes */
    static void mustBeSound(ByteBuffer value) throws IOException {
        RecordBatch batch = RecordBatch.at(value);
        boolean sound = value.remaining() >= RecordBatch.HEADER_BYTES
                && batch.sizeInBytes() == value.remaining()
                && batch.crc()
                        == (crcOf(value.slice(
                                        value.position() + RecordBatch.ATTRIBUTES_AT,
                                        value.remaining() - RecordBatch.ATTRIBUTES_AT))
                                & 0xFFFF_FFFFL);
        if (!sound) {
            throw new IOException("a batch is damaged");
        }
    }

    private static int crcOf(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
