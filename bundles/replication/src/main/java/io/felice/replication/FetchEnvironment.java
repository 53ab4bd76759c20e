package io.felice.replication;

import io.felice.api.cluster.ClusterMetadata;
import java.util.function.Supplier;

/** What all {@link Fetcher}s share. */
record FetchEnvironment(
        ClusterMetadata metadata,
        PeerAddresses addresses,
        Supplier<PeerIdentity> identity,
        Supplier<FetchLimits> limits,
        FetchThrottle throttle) {
    int brokerId() {
        return metadata.brokerId();
    }

    /** The id of the cluster; null before it has one. */
    String clusterId() {
        return metadata.view().clusterId().orElse(null);
    }

    /** The epoch of the registration of this broker; -1 while it is not registered. */
    long brokerEpoch() {
        return metadata.view().broker(brokerId()).map(broker -> broker.epoch()).orElse(-1L);
    }
}
