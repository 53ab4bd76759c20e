package io.felice.api.wire;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A protocol that clients speak on listeners of its own. Register it as a service with the property {@link #NAME}; the
 * setting {@code listener.wire.map} of {@code io.felice.network} names the listeners that use it.
 *
 * <p>The network accepts connections, encrypts them, limits them, and cuts the received bytes into frames. The wire says
 * where a frame ends, and gets whole frames. Each listener of a wire has an I/O thread of its own, and Kafka's listeners
 * have others. All methods, and those of {@link WireSession}, are called on the I/O thread of the listener and must not
 * block: a call that does not return holds up all connections of its listener. After {@code wire.timeout.ms} the network
 * closes these connections and gives the listener another thread. An exception closes its connection.
 *
 * <p>A listener is open while its wire is there. When the service is unregistered, the listener and its connections are
 * closed.
 */
@ConsumerType
public interface WireProtocol {
    /** The service property with the wire's name, for example {@code mqtt}: lower-case letters, digits and hyphens. */
    String NAME = "wire.protocol";

    /** What {@link #frameLength} returns while it needs more bytes. */
    int UNKNOWN = 0;

    /**
     * The length of the frame that begins at the buffer's position, in bytes, with its header. Called again with more
     * bytes after it has returned {@link #UNKNOWN}.
     *
     * @param received what was received of the frame, at least one byte, and maybe bytes behind it. Read-only; valid
     *     during the call
     * @throws IllegalArgumentException with a sentence, if no frame begins so; the connection is closed
     */
    int frameLength(ByteBuffer received);

    /**
     * The length of the longest frame in bytes. A connection that sends a longer one is closed before memory is
     * allocated for it. The network's {@code socket.request.max.bytes} limits this value.
     */
    int longestFrame();

    /** A client has connected; with TLS, before the handshake. The session gets the frames of this connection. */
    WireSession open(WireConnection connection);
}
