package io.felice.broker;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.partition.FetchedPartition;
import io.felice.broker.partition.InSyncReplicas;
import io.felice.broker.partition.InSyncReplicas.Follower;
import io.felice.broker.partition.LeaderPartition;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Finds a replica in the rack of a consumer, if {@code replica.selector.class} says so (KIP-392): an in-sync one that has the
 * records; of several, the one with the most. Any thread.
 */
final class PreferredReplicas {
    /** Consumers read from leaders only. */
    static final PreferredReplicas NONE = new PreferredReplicas(() -> ClusterView.EMPTY, () -> "");

    private final Supplier<ClusterView> view;
    private final Supplier<String> selector;

    /** @param selector {@code replica.selector.class} */
    PreferredReplicas(Supplier<ClusterView> view, Supplier<String> selector) {
        this.view = view;
        this.selector = selector;
    }

    /** True if followers serve consumers, so that they should know the high watermark at once. */
    boolean areUsed() {
        return selector.get().equals(BrokerConfig.RACK_AWARE_SELECTOR);
    }

    /**
     * @param rack of the consumer; empty or null if it has none
     * @return a broker id; {@link FetchedPartition#NO_PREFERENCE} if the consumer had better read from the leader
     */
    int preferred(LeaderPartition leader, String rack, long offset) {
        if (rack == null || rack.isEmpty() || !areUsed()) {
            return FetchedPartition.NO_PREFERENCE;
        }
        ClusterView now = view.get();
        InSyncReplicas replicas = leader.inSync();
        if (isIn(rack, now, replicas.state().leader())) {
            return FetchedPartition.NO_PREFERENCE;
        }
        Follower best = null;
        for (Follower follower : replicas.followers()) {
            boolean fits = replicas.state().isr().contains(follower.broker())
                    && isIn(rack, now, follower.broker())
                    && follower.logStart() <= offset
                    && follower.end() >= offset;
            if (fits && (best == null || follower.end() > best.end())) {
                best = follower;
            }
        }
        return best == null ? FetchedPartition.NO_PREFERENCE : best.broker();
    }

    private static boolean isIn(String rack, ClusterView now, int broker) {
        Optional<BrokerRegistration> live =
                now.broker(broker).filter(one -> !one.leaving()).map(ClusterView.LiveBroker::registration);
        return live.isPresent() && rack.equals(live.get().rack());
    }
}
