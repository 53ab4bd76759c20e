package io.felice.api.cluster;

import io.felice.api.security.Requester;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Decides the requests that other brokers have forwarded to the controller of this node. Any thread may call the method;
 * it does not block. The caller has made sure that another broker of this cluster is asking.
 */
@ProviderType
public interface ForwardedRequests {
    /** The most bytes of a request and of an answer. */
    int LONGEST = 32 << 20;

    /** The most bytes of a client's principal, as text in UTF-8. */
    int LONGEST_PRINCIPAL = 4096;

    /**
     * Decides a call of {@link Admin}. Both byte arrays are in the format of the controller's bundle, which is the only
     * reader and writer of them.
     *
     * @param requester the client of the other broker that asks; empty if that broker asks by itself, or if it has not
     *     proved that it is a broker, so that what it says about its client proves nothing
     * @return the answer, which has the errors of single items. Fails with NOT_CONTROLLER if another broker is the
     *     controller, with INVALID_REQUEST if the bytes are no request, and as {@link Admin} says
     */
    CompletionStage<byte[]> decide(Optional<Requester> requester, byte[] request);

    /** Decides a call for which no client asks. */
    default CompletionStage<byte[]> decide(byte[] request) {
        return decide(Optional.empty(), request);
    }
}
