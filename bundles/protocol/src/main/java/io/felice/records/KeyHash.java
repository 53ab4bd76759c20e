package io.felice.records;

import org.apache.kafka.common.utils.Utils;

/** The partition that Kafka's producer chooses for a key. Stateless; any thread. */
public final class KeyHash {
    private KeyHash() {}

    /** From 0 to {@code partitions} - 1. */
    public static int partition(byte[] key, int partitions) {
        return Utils.toPositive(Utils.murmur2(key)) % partitions;
    }
}
