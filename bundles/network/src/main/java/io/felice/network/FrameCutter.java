package io.felice.network;

import io.felice.protocol.MalformedRequest;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Divides the bytes of a wire's connection into frames, whose length the wire finds out. A frame that was received as a
 * whole is passed on as a slice of the I/O thread's scratch buffer. The bytes of others are kept in a buffer that grows
 * with the received bytes and not with the claimed length. I/O thread only.
 */
final class FrameCutter {
    private static final int FIRST_PIECE = 1024;
    /** The JDK reads into a heap buffer through a temporary one of the remaining size and keeps it. */
    private static final int WINDOW = 128 * 1024;

    /** The receiver of the frames. */
    interface Frames {
        /** False while no frame may be taken. */
        boolean mayTake();

        /**
         * The length of the frame that begins here; 0 if more bytes are needed.
         *
         * @throws MalformedRequest if there is no such frame
         */
        int length(ByteBuffer received);

        /** The longest frame in bytes. */
        int longest();

        /** @param frame valid during the call */
        void take(ByteBuffer frame);
    }

    private final FrameMemory memory;
    private final Frames frames;

    /** The received bytes that are not passed on, from 0 to position; null if there are none. */
    private ByteBuffer kept;
    /** The length of the first kept frame; 0 if it is not known. */
    private int wanted;

    private boolean starving;
    private long since;

    FrameCutter(FrameMemory memory, Frames frames) {
        this.memory = memory;
        this.frames = frames;
    }

    /** Reads once. @return false at the end of the stream */
    boolean read(Transport transport, ByteBuffer scratch) throws IOException {
        if (kept != null) {
            return readOn(transport);
        }
        if (transport.read(scratch.clear()) < 0) {
            return false;
        }
        cut(scratch.flip(), false);
        return true;
    }

    private boolean readOn(Transport transport) throws IOException {
        if (!kept.hasRemaining() && !grow()) {
            return true;
        }
        kept.limit(Math.min(kept.capacity(), kept.position() + WINDOW));
        boolean open = transport.read(kept) >= 0;
        kept.limit(kept.capacity());
        if (open && kept.position() >= wanted) {
            resume();
        }
        return open;
    }

    /** Continues with the received bytes after a pause. */
    void resume() {
        starving = false;
        if (kept == null) {
            return;
        }
        if (!kept.hasRemaining() && kept.position() < wanted) {
            grow();
            return;
        }
        ByteBuffer bytes = kept.flip();
        kept = null;
        cut(bytes, true);
    }

    private void cut(ByteBuffer bytes, boolean isOwn) {
        boolean passed = false;
        wanted = 0;
        try {
            while (bytes.hasRemaining() && frames.mayTake()) {
                wanted = length(bytes);
                if (wanted == 0 || wanted > bytes.remaining()) {
                    break;
                }
                ByteBuffer frame = bytes.slice(bytes.position(), wanted);
                bytes.position(bytes.position() + wanted);
                wanted = 0;
                passed = true;
                frames.take(frame);
            }
        } finally {
            keep(bytes, isOwn, passed);
        }
    }

    private int length(ByteBuffer bytes) {
        int longest = frames.longest();
        int length = frames.length(bytes.slice().asReadOnlyBuffer());
        if (length < 0 || length > longest || length == 0 && bytes.remaining() >= longest) {
            throw new MalformedRequest("a frame of " + (length <= 0 ? "more than " + longest : length) + " bytes; "
                    + longest + " are allowed");
        }
        return length;
    }

    private void keep(ByteBuffer bytes, boolean isOwn, boolean passed) {
        if (!bytes.hasRemaining()) {
            since = 0;
            if (isOwn) {
                memory.recycle(bytes);
            }
            return;
        }
        since = passed || since == 0 ? System.nanoTime() : since;
        if (isOwn) {
            kept = bytes.compact();
            return;
        }
        int room = Math.max(bytes.remaining(), FIRST_PIECE);
        kept = ByteBuffer.allocate(room).put(bytes);
        memory.charge(kept.capacity());
    }

    /** @return false if there is no memory now */
    private boolean grow() {
        int capacity = (int) Math.min(frames.longest(), 2L * kept.capacity());
        ByteBuffer larger = memory.allocate(wanted == 0 ? capacity : Math.min(Math.max(wanted, FIRST_PIECE), capacity));
        starving = larger == null;
        if (!starving) {
            larger.put(kept.flip());
            memory.recycle(kept);
            kept = larger;
        }
        return !starving;
    }

    boolean hasBytes() {
        return kept != null;
    }

    /** True if the frame needs memory that others use. */
    boolean isStarving() {
        return starving;
    }

    /** When the incomplete frame began, by {@link System#nanoTime}. */
    long incompleteSince() {
        return since;
    }

    void close() {
        if (kept != null) {
            memory.recycle(kept);
            kept = null;
        }
    }
}
