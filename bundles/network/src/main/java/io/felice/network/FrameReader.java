package io.felice.network;

import io.felice.protocol.MalformedRequest;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Divides the bytes of a connection into frames: {@code length:int32 | frame}. A small frame is passed on as a slice of
 * the I/O thread's scratch buffer. An incomplete frame is received into its own buffer, which grows with the received
 * bytes and not with the claimed length. I/O thread only.
 */
final class FrameReader {
    /** Length, API key, version and correlation id: a frame can be refused when these bytes are received. */
    static final int HEADER_BYTES = Integer.BYTES + 8;

    private static final int FIRST_PIECE = 4 * 1024;
    private static final int WINDOW = 128 * 1024;

    /** How long the bytes of a frame are valid after {@link Frames#begin}. */
    enum Lifetime {
        /** The next read overwrites them. */
        SCRATCH,
        /** They are on the heap, and are garbage-collected. */
        GARBAGE,
        /** They are in a buffer of {@link FrameMemory}, which the receiver of the frame must give back. */
        OWNED
    }

    /** The receiver of the frames. */
    interface Frames {
        /** False while no request may begin. */
        boolean mayBegin();

        /**
         * @throws MalformedRequest if the length is illegal for the API; {@code key} is -1 if it is not received yet
         */
        void checkLength(int length, short key, short version);

        /** True if frames have no header, so that they may be shorter than one. */
        boolean areRaw();

        /** @return false if the request cannot begin now; {@link FrameReader#resume} passes the frame again */
        boolean begin(ByteBuffer frame, Lifetime lifetime);
    }

    private final FrameMemory memory;
    private final Frames frames;

    /** The received bytes that are not divided into frames yet, from position to limit; null if there are none. */
    private ByteBuffer backlog;
    /** A frame that is being received, without its length field; null if there is none. */
    private ByteBuffer partial;

    private int partialLength;
    /** When the incomplete frame began; 0 if there is none. */
    private long since;

    private int largestSoFar;
    private boolean starving;
    /** The bytes from the frame that is being passed on to the end of its buffer; kept if the request cannot begin. */
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
            // The JDK reads through a temporary buffer of the remaining size and keeps it, so the size is limited here.
            partial.limit(Math.min(partial.capacity(), partial.position() + WINDOW));
        }
        boolean open = transport.read(partial) >= 0;
        partial.limit(Math.min(partial.capacity(), partialLength));
        if (open) {
            advancePartial();
        }
        return open;
    }

    /** Continues with the received bytes after a pause. */
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

    /** True if the received bytes wait for a limit, a handler or memory, and not for more bytes. */
    boolean hasWhole() {
        return starving
                || partial != null && partial.position() == partialLength
                || backlog != null && backlog.remaining() >= (frames.areRaw() ? Integer.BYTES : HEADER_BYTES);
    }

    boolean wantsBytes() {
        return !hasWhole();
    }

    /** True if the frame needs memory that other requests use. */
    boolean isStarving() {
        return starving;
    }

    /** When the incomplete or starving frame began, by {@link System#nanoTime}; undefined without such a frame. */
    long incompleteSince() {
        return since;
    }

    boolean isIncomplete() {
        return partial != null && partial.position() < partialLength;
    }

    /** The buffered bytes, including the frame that is being passed on. */
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
            int from = bytes.position() + Integer.BYTES;
            if (frames.areRaw()) {
                frames.checkLength(length, (short) -1, (short) -1);
            } else if (bytes.remaining() < HEADER_BYTES) {
                frames.checkLength(length, (short) -1, (short) -1);
                break;
            } else {
                frames.checkLength(length, bytes.getShort(from), bytes.getShort(from + Short.BYTES));
            }
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
