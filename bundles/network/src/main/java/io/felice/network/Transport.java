package io.felice.network;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Moves the bytes of one connection from and to its socket, without blocking. A transport that encrypts stands here
 * between the socket and the rest of the connection. I/O thread only.
 */
interface Transport {
    /** @return how many bytes were read, 0 if none are there yet, -1 at the end of the stream */
    int read(ByteBuffer into) throws IOException;

    /** @return how many bytes were taken; fewer than there are if the socket is full */
    long write(ByteBuffer bytes) throws IOException;

    /** As {@link #write(ByteBuffer)}, for the first {@code count} of these buffers in order. */
    long write(ByteBuffer[] parts, int count) throws IOException;

    /** True if {@link #send} leaves the work to the kernel; if not, file ranges are read into memory and written. */
    boolean sendsByKernel();

    /** Sends a range of a file. @return how many of its bytes were taken */
    long send(FileChannel file, long position, long count) throws IOException;

    /** Tells the client that nothing more comes. */
    void endOutput() throws IOException;
}
