package io.felice.broker.partition;

import io.felice.api.config.BrokerConfig;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * The broker's current settings of how many producers a partition keeps, how many all partitions keep together, and for
 * how long. Any thread.
 */
public final class ProducerLimits {
    private final Supplier<BrokerConfig> config;

    /** What a producer takes on the heap, with five batches. */
    private static final int BYTES_PER_PRODUCER = 400;

    private static final int SHARE_OF_HEAP = 4;

    private final LongAdder forgotten = new LongAdder();
    private volatile long remembered;
    private volatile BrokerConfig seen;
    private volatile int maxOfNode;
    private volatile int maxProducers;
    private volatile long producerExpirationMs;

    public ProducerLimits(Supplier<BrokerConfig> config) {
        this.config = config;
    }

    /**
     * The most producers of a partition that has {@code present}. While the node has as many as it may have, a partition
     * gets a new one only in the place of one that it has.
     */
    int maxProducers(int present) {
        refresh();
        return remembered < maxOfNode ? maxProducers : Math.min(maxProducers, Math.max(1, present));
    }

    /** The most producers of all partitions of this node together. */
    public long maxOfNode() {
        refresh();
        return maxOfNode;
    }

    /** About every second: how many producers all partitions of this node have. */
    public void remembered(long all) {
        remembered = all;
    }

    /** A partition has forgotten so many producers that had not expired. */
    void forgot(int producers) {
        forgotten.add(producers);
    }

    /** How many producers were forgotten before they expired, because there were too many. */
    public long forgotten() {
        return forgotten.sum();
    }

    long producerExpirationMs() {
        refresh();
        return producerExpirationMs;
    }

    private static int maxOfNode(int setting) {
        long fits = Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP / BYTES_PER_PRODUCER;
        return setting > 0 ? setting : (int) Math.min(Integer.MAX_VALUE, fits);
    }

    private void refresh() {
        BrokerConfig now = config.get();
        if (seen != now) {
            maxProducers = now.getInt(BrokerConfig.MAX_PRODUCER_IDS_PER_PARTITION);
            maxOfNode = maxOfNode(now.getInt(BrokerConfig.MAX_PRODUCER_IDS));
            producerExpirationMs = now.getLong(BrokerConfig.PRODUCER_ID_EXPIRATION_MS);
            seen = now;
        }
    }
}
