package io.felice.handlers;

/**
 * The only feature of this cluster. Kafka's own features are left out. {@code transaction.version}, for example, would
 * make clients use a transaction protocol that this broker does not serve.
 */
final class Features {
    static final String VERSION = "felice.version";
    static final short LEVEL = 1;

    /** The epoch of the finalized features. It grows when a feature level changes; no level has changed yet. */
    static final long EPOCH = 0;

    private Features() {}
}
