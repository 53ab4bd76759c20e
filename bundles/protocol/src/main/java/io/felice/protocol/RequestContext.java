package io.felice.protocol;

import io.felice.api.Turn;
import java.net.InetSocketAddress;

/**
 * Who asks, in which version, on which connection.
 *
 * @param apiKey see {@link Apis}
 * @param apiVersion within what the handler serves
 * @param correlationId the client's number of the request
 * @param clientId what the client calls itself; never null, {@code ""} if it says nothing
 * @param connection the same object for all requests of a connection
 * @param turn the I/O round this request belongs to; only valid during the call of {@link RequestHandler#handle}
 */
public record RequestContext(
        short apiKey, short apiVersion, int correlationId, String clientId, Connection connection, Turn turn) {

    /**
     * The connection behind a request.
     *
     * @param id unique on this node while it runs
     * @param listener the name of the listener it came through, {@code PLAINTEXT}
     * @param principal who it is, {@code User:ANONYMOUS} without authentication
     * @param remote the client's address
     */
    public record Connection(long id, String listener, String principal, InetSocketAddress remote) {
        /** The client's address as groups show it: {@code /127.0.0.1}. */
        public String host() {
            return "/" + remote.getAddress().getHostAddress();
        }
    }
}
