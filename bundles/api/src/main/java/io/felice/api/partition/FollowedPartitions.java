package io.felice.api.partition;

import io.felice.api.Subscription;
import org.osgi.annotation.versioning.ProviderType;

/** The partitions that this node follows. The bundle that fetches from other brokers uses this service. */
@ProviderType
public interface FollowedPartitions {
    /**
     * Registers a listener for the partitions that this node follows. First the listener gets the partitions that this
     * node follows now, then each change until the subscription is closed. The calls come on the broker's thread, one at a
     * time.
     */
    Subscription listen(FollowingListener listener);
}
