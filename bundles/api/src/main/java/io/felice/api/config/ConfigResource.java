package io.felice.api.config;

import java.util.Objects;

/**
 * A topic, a broker, or all brokers: the owner of dynamic configs.
 *
 * @param name the name of a topic, the id of a broker in decimal, or {@code ""} for the defaults of all brokers
 */
public record ConfigResource(Type type, String name) {
    /** The resource types of Kafka whose configs can be changed. */
    public enum Type {
        TOPIC(2),
        BROKER(4);

        private final byte code;

        Type(int code) {
            this.code = (byte) code;
        }

        /** The number of the type on the wire. */
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

    /** The defaults of all brokers. They apply to each broker without its own dynamic value. */
    public static ConfigResource allBrokers() {
        return new ConfigResource(Type.BROKER, "");
    }
}
