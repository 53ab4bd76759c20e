package io.felice.zookeeper;

import org.osgi.annotation.versioning.ProviderType;

/** A ZooKeeper server in this process that answers clients. The service is registered while the server serves. */
@ProviderType
public interface EmbeddedZooKeeper {

    /** The address for clients in this process, as {@code host:port}. */
    String connectString();
}
