package io.felice.api.security;

import java.net.InetAddress;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Writes down who was let in and who was not, and what was changed, to the logger {@code io.felice.audit}. {@link
 * Authentication} and {@link Authorization} write their own lines; this service is for what they do not see: certificates,
 * and what operators do on the node itself. Any thread; no method blocks.
 */
@ProviderType
public interface AuditLog {
    /**
     * A client has shown who it is.
     *
     * @param mechanism for example {@code certificate}
     */
    void loggedIn(Principal principal, InetAddress host, String listener, String mechanism);

    /** A client that tried to show who it is was refused. */
    void refused(InetAddress host, String listener, String mechanism);

    /**
     * An operator has changed something.
     *
     * @param by who or what made the change, for example {@code shell}
     * @param change for example {@code user-delete alice}; without secrets
     */
    void changed(String by, String change);
}
