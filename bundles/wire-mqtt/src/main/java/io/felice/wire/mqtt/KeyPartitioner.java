package io.felice.wire.mqtt;

/**
 * The partition of a key, as Kafka's producers choose it: 32-bit MurmurHash2 with Kafka's seed. So the messages of an
 * MQTT client and the records of a Kafka producer with the same key stay in order.
 */
final class KeyPartitioner {
    private static final int SEED = 0x9747b28c;
    private static final int MULTIPLIER = 0x5bd1e995;
    private static final int ROTATION = 24;

    private KeyPartitioner() {}

    static int partition(byte[] key, int partitions) {
        return (hash(key) & Integer.MAX_VALUE) % partitions;
    }

    private static int hash(byte[] key) {
        int hash = SEED ^ key.length;
        int at = 0;
        for (; at + Integer.BYTES <= key.length; at += Integer.BYTES) {
            int word = littleEndian(key, at, Integer.BYTES) * MULTIPLIER;
            word = (word ^ word >>> ROTATION) * MULTIPLIER;
            hash = hash * MULTIPLIER ^ word;
        }
        if (at < key.length) {
            hash = (hash ^ littleEndian(key, at, key.length - at)) * MULTIPLIER;
        }
        hash = (hash ^ hash >>> 13) * MULTIPLIER;
        return hash ^ hash >>> 15;
    }

    private static int littleEndian(byte[] bytes, int at, int count) {
        int value = 0;
        for (int i = 0; i < count; i++) {
            value |= (bytes[at + i] & 0xff) << (Byte.SIZE * i);
        }
        return value;
    }
}
