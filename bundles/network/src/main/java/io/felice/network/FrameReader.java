package io.felice.network;

import io.felice.protocol.MalformedRequest;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Cuts what a connection sends into frames: {@code length:int32 | frame}. Small frames are cut out of the I/O thread's
 * scratch buffer where they arrived; one that is not whole yet is received in place, in a buffer that grows with the
 * bytes received and never with the length claimed. I/O thread only.
 */
final class FrameReader {
    /** Key, version and correlation id: with them a frame can be refused before the rest of it is there. */
    static final int HEADER_BYTES = Integer.BYTES + 8;

    private static final int FIRST_PIECE = 4 * 1024;
    private static final int WINDOW = 128 * 1024;

    /** What becomes of the bytes of a frame after {@link Frames#begin} took it. */
    enum Lifetime {
        /** Overwritten by the next read. */
        SCRATCH,
        /** On the heap, left to the garbage collector. */
        GARBAGE,
        /** In a buffer of {@link FrameMemory}, which now belongs to the taker. */
        OWNED
    }

    /** Takes the frames. */
    interface Frames {
        /** False while no request may begin. */
        boolean mayBegin();

        /** @throws MalformedRequest if a frame of this length cannot be meant; {@code key} is -1 if it is not known yet */
        void checkLength(int length, short key, short version);

        /** @return false if the frame cannot begin now: it will be offered again by {@link FrameReader#resume} */
        boolean begin(ByteBuffer frame, Lifetime lifetime);
    }

    private final FrameMemory memory;
    private final Frames frames;

    /** Bytes received and not cut yet; from position to limit; null if there are none. */
    private ByteBuffer backlog;
    /** A frame that is being received, without its length field; null if there is none. */
    private ByteBuffer partial;

    private int partialLength;
    /** When the unfinished frame began; 0 if there is none. */
    private long since;

    private int largestSoFar;
    private boolean starving;
    /** Bytes that are being cut into frames just now; they are kept if their request may not begin. */
    private int uncut;

    FrameReader(FrameMemory memory, Frames frames) {
        this.memory = memory;
        this.frames = frames;
    }

    /** Reads once. @return false at the end of the stream */
    boolean read(Transport transport, ByteBuffer scratch) throws IOException {
        if (partial != null) {
            return readInPlace(transport);
        }
        scratch.clear();
        if (backlog != null) {
            scratch.put(backlog);
            dropBacklog();
        }
        if (transport.read(scratch) < 0) {
            return false;
        }
        cut(scratch.flip(), Lifetime.SCRATCH);
        return true;
    }

    private boolean readInPlace(Transport transport) throws IOException {
        if (!partial.isDirect()) {
            // The JDK copies through a temporary buffer as large as the room and keeps it: let it be small.
            partial.limit(Math.min(partial.capacity(), partial.position() + WINDOW));
        }
        boolean open = transport.read(partial) >= 0;
        partial.limit(Math.min(partial.capacity(), partialLength));
        if (open) {
            advancePartial();
        }
        return open;
    }

    /** Goes on with what was received already, after a pause. */
    void resume() {
        starving = false;
        if (partial != null) {
            advancePartial();
        } else if (backlog != null) {
            ByteBuffer bytes = backlog;
            dropBacklog();
            cut(bytes, Lifetime.GARBAGE);
        }
    }

    /** True if received bytes wait for permission to begin, a handler or memory, and not for more bytes. */
    boolean hasWhole() {
        return starving
                || partial != null && partial.position() == partialLength
                || backlog != null && backlog.remaining() >= HEADER_BYTES;
    }

    /** True if the next bytes can be received. */
    boolean wantsBytes() {
        return !hasWhole();
    }

    /** True if the frame needs memory that other requests use. */
    boolean isStarving() {
        return starving;
    }

    /** Since when a frame is incomplete, by {@link System#nanoTime}; meaningless unless one is, or starves. */
    long incompleteSince() {
        return since;
    }

    boolean isIncomplete() {
        return partial != null && partial.position() < partialLength;
    }

    /** Bytes that are kept here, those of the frame that is being offered included. */
    int bufferedBytes() {
        return uncut + (backlog == null ? 0 : backlog.capacity()) + (partial == null ? 0 : partial.capacity());
    }

    void close() {
        if (backlog != null) {
            dropBacklog();
        }
        if (partial != null) {
            memory.recycle(partial);
            partial = null;
        }
    }

    private void cut(ByteBuffer bytes, Lifetime lifetime) {
        while (bytes.remaining() >= Integer.BYTES && frames.mayBegin()) {
            int length = bytes.getInt(bytes.position());
            if (bytes.remaining() < HEADER_BYTES) {
                frames.checkLength(length, (short) -1, (short) -1);
                break;
            }
            int from = bytes.position() + Integer.BYTES;
            frames.checkLength(length, bytes.getShort(from), bytes.getShort(from + Short.BYTES));
            if (bytes.limit() - from < length) {
                startPartial(bytes, from, length);
                break;
            }
            uncut = bytes.remaining();
            boolean begun = frames.begin(bytes.slice(from, length), lifetime);
            uncut = 0;
            if (!begun) {
                break;
            }
            bytes.position(from + length);
        }
        keep(bytes, lifetime);
    }

    private void keep(ByteBuffer bytes, Lifetime lifetime) {
        if (!bytes.hasRemaining()) {
            return;
        }
        backlog = lifetime == Lifetime.SCRATCH
                ? ByteBuffer.allocate(bytes.remaining()).put(bytes).flip()
                : bytes;
        memory.charge(backlog.capacity());
    }

    private void dropBacklog() {
        memory.discharge(backlog.capacity());
        backlog = null;
    }

    private void startPartial(ByteBuffer bytes, int from, int length) {
        int received = bytes.limit() - from;
        int trusted = Math.max(Math.max(FIRST_PIECE, largestSoFar), 2 * received);
        since = since == 0 ? System.nanoTime() : since;
        ByteBuffer buffer = memory.allocate(Math.min(length, trusted));
        if (buffer == null) {
            starving = true;
            return;
        }
        partial = buffer.limit(Math.min(buffer.capacity(), length)).put(bytes.position(from));
        partialLength = length;
        if (!partial.hasRemaining()) {
            growPartial();
        }
    }

    private void advancePartial() {
        if (partial.position() < partialLength) {
            if (!partial.hasRemaining()) {
                growPartial();
            }
            return;
        }
        if (!frames.mayBegin()) {
            return;
        }
        ByteBuffer buffer = partial;
        if (frames.begin(buffer.duplicate().flip(), Lifetime.OWNED)) {
            largestSoFar = Math.max(largestSoFar, partialLength);
            partial = null;
            since = 0;
        }
    }

    private void growPartial() {
        int capacity = (int) Math.min(partialLength, 2L * partial.capacity());
        ByteBuffer larger = memory.allocate(capacity);
        if (larger == null) {
            starving = true;
            return;
        }
        larger.limit(Math.min(larger.capacity(), partialLength)).put(partial.flip());
        memory.recycle(partial);
        partial = larger;
    }
}
