package io.felice.api.config;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The values of a topic or broker: one for each key with a default. The caller has checked them. Immutable. */
public abstract sealed class ConfigValues permits BrokerConfig, TopicConfig {
    private final Map<String, String> values;

    ConfigValues(Map<String, ConfigKey> keys, Map<String, String> values) {
        this.values = Map.copyOf(values);
        for (ConfigKey key : keys.values()) {
            if (key.defaultValue() != null && !this.values.containsKey(key.name())) {
                throw new IllegalArgumentException("a configuration needs a value for every key that has a default,"
                        + " not only for " + values.keySet());
            }
        }
    }

    static Map<String, ConfigKey> byName(List<ConfigKey> keys) {
        Map<String, ConfigKey> byName = new TreeMap<>();
        keys.forEach(key -> byName.put(key.name(), key));
        return Collections.unmodifiableMap(byName);
    }

    /** The built-in defaults, replaced by {@code overrides} where they have a value. */
    static Map<String, String> defaults(Map<String, ConfigKey> keys, Map<String, String> overrides) {
        Map<String, String> values = new TreeMap<>();
        keys.forEach((name, key) -> {
            if (key.defaultValue() != null) {
                values.put(name, key.defaultValue());
            }
        });
        values.putAll(overrides);
        return values;
    }

    /** The value as text; null if the key has no default and is not set. */
    public final String get(String key) {
        return values.get(key);
    }

    public final long getLong(String key) {
        return Long.parseLong(values.get(key).trim());
    }

    public final int getInt(String key) {
        return Integer.parseInt(values.get(key).trim());
    }

    public final double getDouble(String key) {
        return Double.parseDouble(values.get(key).trim());
    }

    public final boolean getBoolean(String key) {
        return Boolean.parseBoolean(values.get(key).trim());
    }

    /** The items of a list, without the blanks around the items. */
    public final List<String> getList(String key) {
        String items = values.get(key).trim();
        return items.isEmpty() ? List.of() : List.of(items.split("\\s*,\\s*"));
    }

    @Override
    public final boolean equals(Object other) {
        return other instanceof ConfigValues that && getClass() == that.getClass() && values.equals(that.values);
    }

    @Override
    public final int hashCode() {
        return values.hashCode();
    }
}
