package io.felice.network;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Reads and writes the bytes of one connection without blocking. An implementation may encrypt them. I/O thread only.
 */
interface Transport {
    /** @return the number of bytes that were read; 0 if there are none yet, -1 at the end of the stream */
    int read(ByteBuffer into) throws IOException;

    /** @return the number of bytes that the socket accepted; fewer than remain if the socket is full */
    long write(ByteBuffer bytes) throws IOException;

    /** As {@link #write(ByteBuffer)}, for the first {@code count} of these buffers in order. */
    long write(ByteBuffer[] parts, int count) throws IOException;

    /** True if {@link #send} uses sendfile. If not, file ranges are read into memory and written. */
    boolean sendsByKernel();

    /** Sends a range of a file; not called if {@link #sendsByKernel} is false. @return the number of bytes that the socket accepted */
    long send(FileChannel file, long position, long count) throws IOException;

    /** Shuts down the output, so that the client reads the end of the stream. */
    void endOutput() throws IOException;

    /** Called once, before all other methods, with the connection whose bytes are moved. */
    default void attach(Connection connection) {}

    /** False while bytes from the socket cannot be used. */
    default boolean mayRead() {
        return true;
    }

    /** True if {@link #read} has something to do without new bytes from the socket. */
    default boolean hasReceived() {
        return false;
    }

    /** True if a part of something is kept until the rest is received; {@link #incompleteSince} is when it began. */
    default boolean isIncomplete() {
        return false;
    }

    default long incompleteSince() {
        return 0;
    }

    /** True if the socket has not accepted all bytes of what {@link #write} took. */
    default boolean hasUnsent() {
        return false;
    }

    /** Writes these bytes. @return the number of bytes that the socket accepted */
    default long flush() throws IOException {
        return 0;
    }

    /** True if the connection has not been set up within the time limit. */
    default boolean isLate(long now) {
        return false;
    }

    /** Releases what is kept, and tells the client that the connection ends, if the socket takes it. Idempotent. */
    default void close() {}
}
