package io.felice.api.config;

import java.util.Objects;

/**
 * Whose configuration is meant.
 *
 * @param name a topic's name, a broker's id in decimal, or {@code ""} for the default of all brokers
 */
public record ConfigResource(Type type, String name) {
    /** Kafka's resource types that can be altered, with their numbers. */
    public enum Type {
        TOPIC(2),
        BROKER(4);

        private final byte code;

        Type(int code) {
            this.code = (byte) code;
        }

        public byte code() {
            return code;
        }
    }

    public ConfigResource {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(name, "name");
    }

    public static ConfigResource topic(String name) {
        return new ConfigResource(Type.TOPIC, name);
    }

    public static ConfigResource broker(int brokerId) {
        return new ConfigResource(Type.BROKER, Integer.toString(brokerId));
    }

    /** What holds for every broker that has no value of its own. */
    public static ConfigResource allBrokers() {
        return new ConfigResource(Type.BROKER, "");
    }
}
