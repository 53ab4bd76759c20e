package io.felice.handlers;

import java.util.UUID;
import org.apache.kafka.common.Uuid;

/** Topic ids as Kafka's messages have them and as we do. */
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
