package io.felice.replication;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * How fast this broker fetches the replicas that {@code follower.replication.throttled.replicas} names, all of them
 * together, as {@code follower.replication.throttled.rate} says. A replica that is in sync is not throttled, because
 * producers wait for it. Any thread.
 */
final class FetchThrottle {
    private static final double NANOS = 1e9;

    private final Configs configs;
    private final ClusterMetadata metadata;
    private final LongSupplier nanos;
    private double owedBytes;
    private long lastLook;

    FetchThrottle(Configs configs, ClusterMetadata metadata, LongSupplier nanos) {
        this.configs = configs;
        this.metadata = metadata;
        this.nanos = nanos;
        this.lastLook = nanos.getAsLong();
    }

    /**
     * Counts what was fetched of a replica.
     *
     * @return how long the replica has to wait before it is fetched again, in nanoseconds; 0 if it may go on
     */
    long waitAfter(TopicPartition partition, long bytes) {
        long rate = configs.broker().getLong(BrokerConfig.FOLLOWER_THROTTLED_RATE);
        if (rate == Long.MAX_VALUE || !isThrottled(partition)) {
            return 0;
        }
        synchronized (this) {
            long now = nanos.getAsLong();
            double perNano = Math.max(1, rate) / NANOS;
            owedBytes = Math.max(0, owedBytes - perNano * (now - lastLook)) + bytes;
            lastLook = now;
            return (long) (owedBytes / perNano);
        }
    }

    private boolean isThrottled(TopicPartition partition) {
        List<String> replicas = configs.topic(partition.topic()).getList(TopicConfig.FOLLOWER_THROTTLED_REPLICAS);
        boolean isNamed =
                replicas.contains("*") || replicas.contains(partition.partition() + ":" + metadata.brokerId());
        return isNamed
                && metadata.view()
                        .topic(partition.topic())
                        .flatMap(topic -> topic.partition(partition.partition()))
                        .map(state -> !state.isr().contains(metadata.brokerId()))
                        .orElse(false);
    }
}
