package io.felice.api.security;

import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Knows the users and their passwords. The mechanisms PLAIN and SCRAM ask it. Register it as a service with the property
 * {@link #NAME}; the setting {@code credential.store} of {@code io.felice.security} names the one that is asked.
 *
 * <p>The methods are called on the threads of a pool and may block, within a time limit; after that the login fails.
 */
@ConsumerType
public interface CredentialStore {
    /** The service property with the store's name. */
    String NAME = "credential.store";

    /**
     * True if the user has this password. An empty password is never right. A store takes as long for a user that there
     * is not as for a wrong password, and compares in constant time.
     *
     * @param password in UTF-8; the caller clears it after the call
     */
    boolean hasPassword(String user, byte[] password);

    /** What SCRAM needs to authenticate a user (RFC 5802); empty for all users if the store cannot give it. */
    default Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
        return Optional.empty();
    }
}
