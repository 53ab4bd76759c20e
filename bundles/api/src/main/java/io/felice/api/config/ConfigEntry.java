package io.felice.api.config;

import java.util.List;

/**
 * A key with its value in force, for DescribeConfigs.
 *
 * @param value null if the key is sensitive or has no value
 * @param source the layer of the value
 * @param synonyms the values of all layers that have one; the first is the value in force (KIP-226)
 */
public record ConfigEntry(ConfigKey key, String value, Source source, List<Synonym> synonyms) {
    /** The layers, from the strongest to the weakest. */
    public enum Source {
        DYNAMIC_TOPIC(1),
        DYNAMIC_BROKER(2),
        DYNAMIC_DEFAULT_BROKER(3),
        STATIC_BROKER(4),
        DEFAULT(5);

        private final byte code;

        Source(int code) {
            this.code = (byte) code;
        }

        /** The number of the layer in DescribeConfigs. */
        public byte code() {
            return code;
        }
    }

    /** The value of one layer. In the layers of the broker, a topic config may have another name. */
    public record Synonym(String name, String value, Source source) {}

    public ConfigEntry {
        synonyms = List.copyOf(synonyms);
    }

    public boolean isDefault() {
        return source == Source.DEFAULT;
    }
}
