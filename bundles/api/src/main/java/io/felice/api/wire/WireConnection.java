package io.felice.api.wire;

import io.felice.api.Turn;
import io.felice.api.security.Principal;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ProviderType;

/** The network's side of one connection of a wire. Any thread may call the methods, unless one says otherwise. */
@ProviderType
public interface WireConnection {
    /** The client's address. */
    InetSocketAddress remote();

    /** The name of the listener. */
    String listener();

    /** True if the connection uses TLS. */
    boolean isEncrypted();

    /**
     * True if the listener has the security protocol SASL_PLAINTEXT or SASL_SSL: then the wire must not serve the client
     * until it has logged in, by whatever means the wire has, and must call {@link #authenticated}. A client that has
     * not logged in within {@code sasl.login.timeout.ms} is disconnected.
     */
    boolean requiresLogin();

    /**
     * Who the client is: the subject of its certificate once the first frame is received, who has logged in, or {@link
     * Principal#ANONYMOUS}. I/O thread only.
     */
    Principal principal();

    /** The client has logged in as this principal. I/O thread only. */
    void authenticated(Principal principal);

    /**
     * Sends these bytes after those that were sent before. The caller must not change them afterwards. Nothing happens
     * if the connection is closed.
     *
     * <p>The client may be slow. A connection with twice as many unsent bytes as make it {@link #isFull} is closed.
     */
    void send(ByteBuffer bytes);

    /**
     * True while more bytes wait to be sent than {@code queued.response.bytes} of the network. The wire must send only
     * what it has to until {@link WireSession#drained}.
     */
    boolean isFull();

    /**
     * Passes no frame to the session until {@link #resumeReading}; then the client's bytes stay in its socket. A pause is
     * no error, whatever its length. I/O thread only.
     */
    void pauseReading();

    /** Goes on with the frames. I/O thread only. */
    void resumeReading();

    /** Sends what is not sent yet, then closes the connection. No further frame is passed to the session. */
    void close();

    /**
     * Runs the task on the connection's I/O thread, soon and in the order of the calls. An exception closes the
     * connection. The task is dropped if the connection is closed.
     */
    void execute(Runnable task);

    /** The I/O round, for appends. I/O thread only; must not be kept after the call of the session has returned. */
    Turn turn();
}
