package io.felice.network;

import java.nio.ByteBuffer;

/** The buffers that the TLS connections of one I/O thread use one after the other, and the count of what they keep. */
final class TlsBuffers {
    /** The largest record of TLS 1.2 (RFC 5246, 6.2.3); those of TLS 1.3 are smaller. */
    static final int RECORD = 5 + 16 * 1024 + 2048;

    private static final int RECEIVED = 64 * 1024;
    private static final int SENT = 4 * RECORD;

    /** The most bytes that a connection keeps: of its received records, of one decrypted record, and of its answers. */
    static final int MOST_KEPT = RECEIVED + RECORD + SENT;

    final ByteBuffer nothing = ByteBuffer.allocate(0);
    private ByteBuffer received;
    private ByteBuffer sent;
    private ByteBuffer surplus;
    private final ByteBuffer[] decrypted = new ByteBuffer[2];
    private final FrameMemory memory;
    private final Counter kept = new Counter();

    TlsBuffers(FrameMemory memory) {
        this.memory = memory;
    }

    /**
     * Allocates the buffers with the first connection. They are on the heap: the JDK encrypts arrays with a fifth less
     * processor time than direct buffers.
     */
    void need() {
        if (received == null) {
            received = ByteBuffer.allocate(RECEIVED);
            sent = ByteBuffer.allocate(SENT);
            surplus = ByteBuffer.allocate(RECORD);
        }
    }

    ByteBuffer received() {
        return received.clear();
    }

    ByteBuffer sent() {
        return sent.clear();
    }

    /** The targets of a decrypted record: {@code into}, and {@link #surplus} for what does not fit. */
    ByteBuffer[] decryptedInto(ByteBuffer into) {
        decrypted[0] = into;
        decrypted[1] = surplus.clear();
        return decrypted;
    }

    /** What did not fit into the first target. */
    ByteBuffer surplus() {
        return surplus;
    }

    /** A copy of the remaining bytes, which is counted until {@link #drop}; null if none remain. */
    ByteBuffer keep(ByteBuffer rest) {
        if (!rest.hasRemaining()) {
            return null;
        }
        ByteBuffer copy = ByteBuffer.allocate(rest.remaining()).put(rest).flip();
        kept.add(copy.capacity());
        memory.charge(copy.capacity());
        return copy;
    }

    void drop(ByteBuffer copy) {
        if (copy != null) {
            kept.add(-copy.capacity());
            memory.discharge(copy.capacity());
        }
    }

    /** The bytes that connections keep. Any thread. */
    long kept() {
        return kept.get();
    }
}
