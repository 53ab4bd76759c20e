package io.felice.protocol;

import io.felice.api.Turn;
import java.net.InetSocketAddress;

/**
 * The header of a request and the connection from which it came.
 *
 * @param apiKey a key of {@link Apis}
 * @param apiVersion one of the versions that the API's row in {@link Apis} serves
 * @param correlationId the number that the client gave the request
 * @param clientId the name that the client gives itself; never null, {@code ""} if it gives none
 * @param connection the same object for all requests of a connection
 * @param turn the I/O round of this request; valid only during the call of {@link RequestHandler#handle}
 */
public record RequestContext(
        short apiKey, short apiVersion, int correlationId, String clientId, Connection connection, Turn turn) {

    /**
     * A connection of a client.
     *
     * @param id unique on this node until it is restarted
     * @param listener the name of the listener that accepted the connection, for example {@code PLAINTEXT}
     * @param principal the authenticated user; {@code User:ANONYMOUS} without authentication
     * @param remote the address of the client
     */
    public record Connection(long id, String listener, String principal, InetSocketAddress remote) {
        /** The address of the client in the form that DescribeGroups shows, for example {@code /127.0.0.1}. */
        public String host() {
            return "/" + remote.getAddress().getHostAddress();
        }
    }
}
