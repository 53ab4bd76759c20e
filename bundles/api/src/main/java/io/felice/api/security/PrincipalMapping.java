package io.felice.api.security;

import java.security.cert.X509Certificate;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says who a client with a certificate is. Register it as a service with the property {@link #NAME}; the setting {@code
 * ssl.principal.mapping} of {@code io.felice.network} names the one that is asked. Without one, {@code
 * ssl.principal.mapping.rules} apply to the subject of the certificate, as in Kafka.
 */
@ConsumerType
public interface PrincipalMapping {
    /** The service property with the mapping's name. */
    String NAME = "principal.mapping";

    /**
     * The principal of a client. Called on a thread of the pool that checks certificates, after the handshake; may block,
     * within the time limit of the handshake.
     *
     * @param chain the client's certificates, its own first; the chain is valid
     * @throws RuntimeException if the client is refused; its connection is closed
     */
    Principal principalOf(List<X509Certificate> chain);
}
