package io.felice.api.cluster;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * A broker as it announces itself.
 *
 * @param brokerId 0 or more
 * @param incarnation new at every start of the process, so that a bounce is noticed
 * @param storeId the identity of its data directory: an emptied disk has another one
 * @param endpoints where clients reach it, one per listener; at least one
 * @param rack null if it has none
 */
public record BrokerRegistration(int brokerId, UUID incarnation, UUID storeId, List<Endpoint> endpoints, String rack) {
    public BrokerRegistration {
        Objects.requireNonNull(incarnation, "incarnation");
        Objects.requireNonNull(storeId, "storeId");
        endpoints = List.copyOf(endpoints);
        if (brokerId < 0) {
            throw new IllegalArgumentException("broker id " + brokerId + " is negative");
        }
    }

    /** The endpoint of the listener of that name. */
    public Optional<Endpoint> endpoint(String listener) {
        return endpoints.stream().filter(e -> e.listener().equals(listener)).findFirst();
    }

    /**
     * An advertised address.
     *
     * @param listener the listener's name, {@code PLAINTEXT}, {@code EXTERNAL}
     * @param securityProtocol {@code PLAINTEXT}, {@code SSL}, {@code SASL_PLAINTEXT}, {@code SASL_SSL}
     * @param host what clients resolve
     * @param port 1 to 65535
     */
    public record Endpoint(String listener, String securityProtocol, String host, int port) {}
}
