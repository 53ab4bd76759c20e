package io.felice.controller;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** Makes the ids of topics and of the cluster. */
record RandomIds(RandomGenerator random) {
    /**
     * A random id. As in Kafka, no reserved id, and none whose text begins with '-', which command lines would take for
     * an option.
     */
    UUID next() {
        UUID id;
        do {
            id = new UUID(random.nextLong(), random.nextLong());
        } while (text(id).startsWith("-") || (id.getMostSignificantBits() == 0 && id.getLeastSignificantBits() < 2));
        return id;
    }

    /** The id in Base64, as Kafka's tools show it. */
    static String text(UUID id) {
        byte[] bytes = ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
