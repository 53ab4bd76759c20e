package io.felice.console;

import io.felice.api.storage.Records;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;

/** The bytes of batches that were read from a log, in memory. */
final class FetchedBytes {
    private FetchedBytes() {}

    /** Valid until the records are closed. Reads a file, so it may block. */
    static List<ByteBuffer> of(Records records) {
        if (records instanceof Records.InMemory memory) {
            return memory.buffers();
        }
        Records.InFile range = (Records.InFile) records;
        ByteBuffer bytes = ByteBuffer.allocate(range.sizeInBytes());
        try {
            while (bytes.hasRemaining()) {
                if (range.channel().read(bytes, range.position() + bytes.position()) < 0) {
                    throw new EOFException("the file ends before the last record");
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return List.of(bytes.flip());
    }
}
