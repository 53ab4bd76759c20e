package io.felice.api.cluster;

import io.felice.api.security.Requester;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The connections of this broker to the other brokers of the cluster. Any thread may call the methods; they do not
 * block.
 */
@ProviderType
public interface Peers {
    /**
     * Sends a request to the {@link ForwardedRequests} of another broker.
     *
     * @param requester the client of this broker that asks; empty if this broker asks by itself. A principal of more than
     *     {@link ForwardedRequests#LONGEST_PRINCIPAL} bytes is refused with INVALID_REQUEST
     * @param request at most {@link ForwardedRequests#LONGEST} bytes
     * @return the answer, on a thread of the connections. Fails with BROKER_NOT_AVAILABLE if the broker cannot be reached,
     *     so that the request was certainly not decided; with NETWORK_EXCEPTION if the connection ends after the request
     *     was sent, so that it is not known whether it was decided; with REQUEST_TIMED_OUT if no answer comes in time, which
     *     is not known either; otherwise with the error of the other broker, for example NOT_CONTROLLER
     */
    CompletionStage<byte[]> forward(int brokerId, Optional<Requester> requester, byte[] request, Duration timeout);

    /** Sends a request of this broker itself. */
    default CompletionStage<byte[]> forward(int brokerId, byte[] request, Duration timeout) {
        return forward(brokerId, Optional.empty(), request, timeout);
    }
}
