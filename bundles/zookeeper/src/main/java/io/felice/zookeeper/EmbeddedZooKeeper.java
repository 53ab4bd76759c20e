package io.felice.zookeeper;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A ZooKeeper server that runs inside this process and answers clients now: the service is registered when the server
 * serves and leaves when it stops.
 */
@ProviderType
public interface EmbeddedZooKeeper {

    /** Where clients of this process connect, in the form {@code host:port}. */
    String connectString();
}
