package io.felice.console;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigKey;
import java.util.List;
import java.util.Locale;

/** A config of a topic or broker as the API shows it: with where its value comes from, and what is legal. */
record ShownConfig(
        String name,
        String source,
        String type,
        boolean readOnly,
        boolean sensitive,
        String value,
        @JsonProperty("default") String defaultValue,
        String help,
        List<String> allowed,
        Long min,
        Long max,
        String pattern,
        String expected,
        String unit,
        List<Synonym> synonyms) {
    record Synonym(String source, String name, String value) {}

    /** Several configs of one resource. */
    record Several(List<ShownConfig> items) {}

    static Several of(List<ConfigEntry> entries) {
        return new Several(entries.stream().map(ShownConfig::of).toList());
    }

    static ShownConfig of(ConfigEntry entry) {
        ConfigKey key = entry.key();
        boolean isNumber = key.type() == ConfigKey.Type.INT
                || key.type() == ConfigKey.Type.LONG
                || key.type() == ConfigKey.Type.SHORT
                || key.type() == ConfigKey.Type.DOUBLE;
        boolean isLimited = isNumber && key.allowed().isEmpty();
        boolean isSecret = key.isSensitive();
        return new ShownConfig(
                key.name(),
                word(entry.source()),
                key.type().name().toLowerCase(Locale.ROOT),
                !key.dynamic(),
                isSecret,
                isSecret ? null : entry.value(),
                key.defaultValue(),
                key.documentation(),
                key.allowed().isEmpty() ? null : key.allowed(),
                isLimited && key.min() != Long.MIN_VALUE ? key.min() : null,
                isLimited && key.max() != Long.MAX_VALUE ? key.max() : null,
                key.pattern(),
                key.expected(),
                isNumber ? unit(key.name()) : null,
                isSecret
                        ? null
                        : entry.synonyms().stream()
                                .map(each -> new Synonym(word(each.source()), each.name(), each.value()))
                                .toList());
    }

    static String word(ConfigEntry.Source source) {
        return switch (source) {
            case DYNAMIC_TOPIC -> "topic";
            case DYNAMIC_BROKER -> "broker";
            case DYNAMIC_DEFAULT_BROKER -> "allBrokers";
            case STATIC_BROKER -> "file";
            case DEFAULT -> "default";
        };
    }

    /** Kafka's names end with the unit, or have it before their last word. */
    private static String unit(String name) {
        if (name.contains("bytes") || name.endsWith("buffer.size")) {
            return "bytes";
        } else if (name.endsWith(".ms")) {
            return "ms";
        } else if (name.endsWith(".seconds")) {
            return "seconds";
        } else if (name.endsWith(".minutes")) {
            return "minutes";
        }
        return name.contains("percentage") ? "percent" : null;
    }
}
