package io.felice.api.config;

import java.util.List;

/**
 * A key with its effective value and where that comes from.
 *
 * @param value null if it is a secret or has none
 * @param synonyms every layer that has a value, the one in force first
 */
public record ConfigEntry(ConfigKey key, String value, Source source, List<Synonym> synonyms) {
    /** Layers, with the numbers that DescribeConfigs uses, the strongest first. */
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

        public byte code() {
            return code;
        }
    }

    /** What one layer says, under the name it uses. */
    public record Synonym(String name, String value, Source source) {}

    public ConfigEntry {
        synonyms = List.copyOf(synonyms);
    }

    public boolean isDefault() {
        return source == Source.DEFAULT;
    }
}
