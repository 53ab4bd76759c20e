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

    /** Sends a range of a file. @return the number of bytes that the socket accepted */
    long send(FileChannel file, long position, long count) throws IOException;

    /** Shuts down the output, so that the client reads the end of the stream. */
    void endOutput() throws IOException;
}
