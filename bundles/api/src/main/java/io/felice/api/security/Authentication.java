package io.felice.api.security;

import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The logins of clients: calls the {@link Authenticator}s with time limits, and delays the answers to failures. */
@ProviderType
public interface Authentication {
    /** The mechanisms that have an authenticator now. */
    Set<String> mechanisms();

    /**
     * Begins a login. Any thread; does not block.
     *
     * @throws io.felice.api.FeliceException UNSUPPORTED_SASL_MECHANISM if the mechanism has no authenticator
     */
    Login begin(String mechanism, Authenticator.Client client);

    /** One login. One call at a time; any thread; does not block. */
    @ProviderType
    interface Login {
        /**
         * Answers a message of the client. Completes on any thread. Fails with SASL_AUTHENTICATION_FAILED and the
         * sentence for the client if the client is refused; with REQUEST_TIMED_OUT if nobody can decide now, so that the
         * client may try again on another connection. In both cases the login has ended, and the answer comes late.
         */
        CompletionStage<Authenticator.Reply> respond(byte[] message);

        /** Ends the login, also while an answer is being made. Idempotent. */
        void close();
    }
}
