package io.felice.api.cluster;

import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/** Where clients reach this node: registered by the network once all its listeners are bound. */
@ProviderType
public interface Endpoints {
    /** One per listener, with the advertised host and the port really bound. */
    List<BrokerRegistration.Endpoint> endpoints();

    /** The network's settings in force, by their names in {@link io.felice.api.config.BrokerConfig#NODE_KEYS}. */
    default Map<String, String> settings() {
        return Map.of();
    }
}
