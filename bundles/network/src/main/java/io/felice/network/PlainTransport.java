package io.felice.network;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;

/** Sends bytes without encryption. */
record PlainTransport(SocketChannel socket) implements Transport {
    @Override
    public int read(ByteBuffer into) throws IOException {
        return socket.read(into);
    }

    @Override
    public long write(ByteBuffer bytes) throws IOException {
        return socket.write(bytes);
    }

    @Override
    public long write(ByteBuffer[] parts, int count) throws IOException {
        return socket.write(parts, 0, count);
    }

    @Override
    public boolean sendsByKernel() {
        return true;
    }

    @Override
    public long send(FileChannel file, long position, long count) throws IOException {
        return file.transferTo(position, count, socket);
    }

    @Override
    public void endOutput() throws IOException {
        socket.shutdownOutput();
    }
}
