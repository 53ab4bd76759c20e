package io.felice.handlers;

/**
 * The one feature of this cluster. Kafka's own features are left out: {@code transaction.version}, for one, would have
 * clients speak a protocol of transactions that is not served.
 */
final class Features {
    static final String VERSION = "felice.version";
    static final short LEVEL = 1;

    /** Kafka's epoch of finalized features. It grows when a level changes, which has not happened yet. */
    static final long EPOCH = 0;

    private Features() {}
}
