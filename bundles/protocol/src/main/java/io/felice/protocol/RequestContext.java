package io.felice.protocol;

import io.felice.api.Turn;
import io.felice.api.security.Requester;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The header of a request and the connection from which it came.
 *
 * @param apiKey a key of {@link Apis}
 * @param apiVersion one of the versions that the API's row in {@link Apis} serves
 * @param correlationId the number that the client gave the request
 * @param clientId the name that the client gives itself; never null, {@code ""} if it gives none
 * @param requester who asks
 * @param connection the same object for all requests of a connection
 * @param turn the I/O round of this request; valid only during the call of {@link RequestHandler#handle}
 */
public record RequestContext(
        short apiKey,
        short apiVersion,
        int correlationId,
        String clientId,
        Requester requester,
        Connection connection,
        Turn turn) {

    /** A connection of a client. Any thread. */
    @ProviderType
    public interface Connection {
        /** Unique on this node until it is restarted. */
        long id();

        /** The name of the listener that accepted the connection, for example {@code PLAINTEXT}. */
        String listener();

        /** The address of the client. */
        InetSocketAddress remote();

        /** The login of the client; empty if the listener has no SASL. */
        Optional<SaslSession> sasl();

        /** The address of the client in the form that DescribeGroups shows, for example {@code /127.0.0.1}. */
        default String host() {
            return "/" + remote().getAddress().getHostAddress();
        }
    }
}
