package io.felice.api.security;

import org.osgi.annotation.versioning.ProviderType;

/** Counts what clients use, and says how long they have to wait (KIP-13, KIP-124, KIP-599, KIP-612). */
@ProviderType
public interface Quotas {
    /** What is counted, with Kafka's key of the quota. */
    enum Kind {
        /** Bytes of Produce requests. */
        PRODUCE("producer_byte_rate"),
        /** Bytes of Fetch answers. */
        FETCH("consumer_byte_rate"),
        /** Nanoseconds of the I/O threads and of the pool. */
        REQUEST("request_percentage"),
        /** Partitions that are created or deleted. */
        CONTROLLER_MUTATION("controller_mutation_rate"),
        /** Connections that are accepted; the entity is an address. */
        CONNECTION("connection_creation_rate");

        private final String key;

        Kind(String key) {
            this.key = key;
        }

        /** The key of the quota in the metadata and on the wire. */
        public String key() {
            return key;
        }
    }

    /** False if there is no quota of the kind, so that nobody needs to count. Any thread. */
    boolean isAny(Kind kind);

    /**
     * Counts what a client has used. Any thread; does not block.
     *
     * @return for how many milliseconds the client has to wait; 0 if it is within its quota
     */
    int charge(Kind kind, Requester who, String clientId, double amount);
}
