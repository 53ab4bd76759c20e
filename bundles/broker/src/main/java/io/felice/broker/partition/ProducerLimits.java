package io.felice.broker.partition;

import io.felice.api.config.BrokerConfig;
import java.util.function.Supplier;

/** The broker's current settings of how many producers a partition keeps, and for how long. Any thread. */
public final class ProducerLimits {
    private final Supplier<BrokerConfig> config;

    private volatile BrokerConfig seen;
    private volatile int maxProducers;
    private volatile long producerExpirationMs;

    public ProducerLimits(Supplier<BrokerConfig> config) {
        this.config = config;
    }

    int maxProducers() {
        refresh();
        return maxProducers;
    }

    long producerExpirationMs() {
        refresh();
        return producerExpirationMs;
    }

    private void refresh() {
        BrokerConfig now = config.get();
        if (seen != now) {
            maxProducers = now.getInt(BrokerConfig.MAX_PRODUCER_IDS_PER_PARTITION);
            producerExpirationMs = now.getLong(BrokerConfig.PRODUCER_ID_EXPIRATION_MS);
            seen = now;
        }
    }
}
