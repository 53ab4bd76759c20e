package io.felice.network;

import org.apache.mina.transport.socket.nio.NioSession;

/** The events that the I/O thread waits for on a connection's socket: readable, writable. I/O thread only. */
final class Interest {
    private final RoundProcessor processor;
    private final NioSession session;
    private boolean reads = true;
    private boolean writes;
    private long progressAt = System.nanoTime();

    Interest(RoundProcessor processor, NioSession session) {
        this.processor = processor;
        this.session = session;
    }

    boolean reads() {
        return reads;
    }

    void inReading(boolean wanted) {
        if (wanted != reads) {
            reads = wanted;
            processor.interestInRead(session, wanted);
            processor.paused(wanted ? -1 : 1);
        }
    }

    void inWriting(boolean wanted) {
        if (wanted != writes) {
            progressAt = wanted ? System.nanoTime() : progressAt;
            writes = wanted;
            processor.interestInWrite(session, wanted);
        }
    }

    /** Called when the socket has accepted bytes. */
    void progressed(long now) {
        progressAt = now;
    }

    /** True if answers wait, and the socket has accepted no byte for that long. */
    boolean isStalled(long now, long nanos) {
        return writes && now - progressAt > nanos;
    }

    /** The connection is closed and no longer counts as paused. */
    void end() {
        if (!reads) {
            processor.paused(-1);
        }
    }
}
