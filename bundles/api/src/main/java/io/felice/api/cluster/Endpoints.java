package io.felice.api.cluster;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** Where clients reach this node: registered by the network once all its listeners are bound. */
@ProviderType
public interface Endpoints {
    /** One per listener, with the advertised host and the port really bound. */
    List<BrokerRegistration.Endpoint> endpoints();
}
