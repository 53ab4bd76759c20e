package io.felice.api.wire;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/** The wire's side of one connection. All methods are called on the connection's I/O thread and must not block. */
@ConsumerType
public interface WireSession {
    /**
     * A frame was received, in order.
     *
     * @param frame from position to limit, as long as {@link WireProtocol#frameLength} has said. Its bytes are valid
     *     during the call
     * @throws IllegalArgumentException with a sentence, if the client may not send such a frame; the connection is closed
     */
    void received(ByteBuffer frame);

    /** The connection was full and is not full any more; see {@link WireConnection#isFull}. */
    default void drained() {}

    /**
     * The connection is closed, by whichever side. Called once, after which no other method is called; not called if the
     * thread of the listener hangs.
     */
    void closed();
}
