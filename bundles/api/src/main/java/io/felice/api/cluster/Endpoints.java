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

    /** The settings of the network as its file has them, by their names in {@link io.felice.api.config.BrokerConfig#NODE_KEYS}. */
    default Map<String, String> settings() {
        return Map.of();
    }

    /**
     * Takes the values that the cluster's metadata has for settings of the network; they win over those of its file. The
     * broker calls this whenever it finds these endpoints and whenever a value changes; never at the same time. Does not
     * block: the values are in force soon after.
     *
     * @param values all of them, checked, by the names in {@link io.felice.api.config.BrokerConfig#NODE_KEYS}, and by those
     *     names after {@code listener.name.NAME.}; a setting that is missing is as the file says
     */
    default void override(Map<String, String> values) {}
}
