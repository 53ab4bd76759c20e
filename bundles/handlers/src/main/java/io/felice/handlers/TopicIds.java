package io.felice.handlers;

import java.util.UUID;
import org.apache.kafka.common.Uuid;

/** Converts topic ids between Kafka's {@code Uuid} and {@code java.util.UUID}. */
final class TopicIds {
    private TopicIds() {}

    static UUID of(Uuid wire) {
        return new UUID(wire.getMostSignificantBits(), wire.getLeastSignificantBits());
    }

    static Uuid of(UUID id) {
        return new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    static boolean isGiven(Uuid wire) {
        return !Uuid.ZERO_UUID.equals(wire);
    }
}
