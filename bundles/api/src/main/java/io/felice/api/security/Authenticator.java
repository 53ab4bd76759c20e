package io.felice.api.security;

import java.net.InetAddress;
import java.time.Instant;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One SASL mechanism (RFC 4422). Register it as a service with the property {@link #MECHANISM}; a listener that has the
 * mechanism in {@code sasl.enabled.mechanisms} offers it.
 *
 * <p>All methods are called on the threads of a pool and may block, within a time limit; after that the login fails.
 * Conversations run at the same time; each is used by one thread at a time.
 */
@ConsumerType
public interface Authenticator {
    /** The service property with the name of the mechanism, for example {@code PLAIN}. */
    String MECHANISM = "sasl.mechanism";

    /**
     * The client that logs in.
     *
     * @param listener the name of the listener
     * @param isEncrypted true if the connection uses TLS
     */
    record Client(InetAddress host, String listener, boolean isEncrypted) {}

    /** Begins a login. */
    Conversation begin(Client client);

    /** One login. */
    @ConsumerType
    interface Conversation extends AutoCloseable {
        /**
         * Answers a message of the client.
         *
         * @param message its bytes, of which there are at most 512 KB
         * @throws io.felice.api.FeliceException SASL_AUTHENTICATION_FAILED if the client is refused. The client gets the
         *     sentence, so it must not say which users there are. REQUEST_TIMED_OUT if it cannot be decided now, for
         *     example because a server does not answer. After any other exception the client is refused without a
         *     reason; it counts as a failure of the authenticator, so a message that is malformed must not cause one
         */
        Reply respond(byte[] message);

        /** Called once when the login has ended, also if the client has gone. */
        @Override
        default void close() {}
    }

    /** The answer to a message of the client: a {@link Challenge}, or {@link Authenticated}. */
    @ProviderType
    sealed interface Reply {
        /** The bytes that the client gets. */
        byte[] message();
    }

    /** The login goes on: the client has to answer. */
    record Challenge(byte[] message) implements Reply {}

    /**
     * The client is who it says.
     *
     * @param validUntil when what it has shown expires; the client has to log in again before; empty if it does not
     *     expire
     */
    record Authenticated(byte[] message, Principal principal, Optional<Instant> validUntil) implements Reply {}
}
