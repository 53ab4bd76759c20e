package io.felice.api.cluster;

import io.felice.api.storage.EngineTrait;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The data with which a broker registers in the cluster.
 *
 * @param brokerId 0 or more
 * @param incarnation a new UUID at every start of the broker, so that the cluster notices a restart
 * @param storeId the UUID of the broker's data directory. A broker whose disk was emptied or replaced has a new one
 * @param endpoints the addresses for clients, one per listener
 * @param rack null if the broker has no rack
 * @param engines the traits of the broker's storage engines, by the engine's name; empty if the broker does not say
 * @param lastEnd how the run of the broker before this one ended, which decides what its logs can have lost
 * @param engineVersions the versions of the bundles that the engines are from, by the engine's name; without those that are
 *     not known
 */
public record BrokerRegistration(
        int brokerId,
        UUID incarnation,
        UUID storeId,
        List<Endpoint> endpoints,
        String rack,
        Map<String, Set<EngineTrait>> engines,
        LastEnd lastEnd,
        Map<String, String> engineVersions) {
    /** How a run of a broker has ended. */
    public enum LastEnd {
        /** Only the bundle of the broker was replaced. The process and its storage engines went on, and nothing is lost. */
        REPLACED,
        /** The broker was stopped, and its storage engines have flushed all records. */
        STOPPED,
        /** The process has ended without a stop, and the machine went on. */
        KILLED,
        /** The machine has stopped, or it is not known whether it has. */
        POWER_LOST
    }

    /** A broker that does not say the versions of its storage engines. */
    public BrokerRegistration(
            int brokerId,
            UUID incarnation,
            UUID storeId,
            List<Endpoint> endpoints,
            String rack,
            Map<String, Set<EngineTrait>> engines,
            LastEnd lastEnd) {
        this(brokerId, incarnation, storeId, endpoints, rack, engines, lastEnd, Map.of());
    }

    /** A broker whose process may have been killed before. */
    public BrokerRegistration(
            int brokerId,
            UUID incarnation,
            UUID storeId,
            List<Endpoint> endpoints,
            String rack,
            Map<String, Set<EngineTrait>> engines) {
        this(brokerId, incarnation, storeId, endpoints, rack, engines, LastEnd.KILLED);
    }

    /** A broker that does not say which storage engines it has. */
    public BrokerRegistration(int brokerId, UUID incarnation, UUID storeId, List<Endpoint> endpoints, String rack) {
        this(brokerId, incarnation, storeId, endpoints, rack, Map.of());
    }

    public BrokerRegistration {
        Objects.requireNonNull(incarnation, "incarnation");
        Objects.requireNonNull(storeId, "storeId");
        Objects.requireNonNull(lastEnd, "lastEnd");
        endpoints = List.copyOf(endpoints);
        engines = Map.copyOf(engines);
        engineVersions = Map.copyOf(engineVersions);
        if (brokerId < 0) {
            throw new IllegalArgumentException("broker id " + brokerId + " is negative");
        }
    }

    /** The endpoint of the listener with this name; empty if the broker has no such listener. */
    public Optional<Endpoint> endpoint(String listener) {
        return endpoints.stream().filter(e -> e.listener().equals(listener)).findFirst();
    }

    /**
     * An advertised address.
     *
     * @param listener the name of the listener, for example {@code PLAINTEXT} or {@code EXTERNAL}
     * @param securityProtocol {@code PLAINTEXT}, {@code SSL}, {@code SASL_PLAINTEXT} or {@code SASL_SSL}
     * @param host the host name or IP address that clients connect to
     * @param port 1 to 65535
     */
    public record Endpoint(String listener, String securityProtocol, String host, int port) {}
}
