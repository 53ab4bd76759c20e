package io.felice.api.cluster;

import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The addresses at which clients reach this node. The network bundle registers this service when all its listeners are
 * bound. Any thread may call the methods; they do not block.
 */
@ProviderType
public interface Endpoints {
    /**
     * One endpoint per listener, with the advertised host and port. A port of 0 is replaced by the port that was bound.
     */
    List<BrokerRegistration.Endpoint> endpoints();

    /** The settings of the network in force, by their names in {@link io.felice.api.config.BrokerConfig#NODE_KEYS}. */
    default Map<String, String> settings() {
        return Map.of();
    }
}
