package io.felice.network;

import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;

/** Frames with a length of four bytes. A session does with each frame what a test says; it sends the frame back if not. */
final class EchoWire implements WireProtocol {
    static final int LONGEST = 200_000;

    final List<WireConnection> opened = new CopyOnWriteArrayList<>();
    final List<WireConnection> closed = new CopyOnWriteArrayList<>();
    final List<WireConnection> drained = new CopyOnWriteArrayList<>();
    volatile BiConsumer<WireConnection, ByteBuffer> reaction = WireConnection::send;

    @Override
    public int frameLength(ByteBuffer received) {
        if (received.remaining() < Integer.BYTES) {
            return UNKNOWN;
        }
        int length = received.getInt();
        if (length < 0) {
            throw new IllegalArgumentException("a negative length");
        }
        return Integer.BYTES + length;
    }

    @Override
    public int longestFrame() {
        return LONGEST;
    }

    @Override
    public WireSession open(WireConnection connection) {
        opened.add(connection);
        return new WireSession() {
            @Override
            public void received(ByteBuffer frame) {
                reaction.accept(
                        connection,
                        ByteBuffer.allocate(frame.remaining()).put(frame).flip());
            }

            @Override
            public void drained() {
                drained.add(connection);
            }

            @Override
            public void closed() {
                closed.add(connection);
            }
        };
    }
}
