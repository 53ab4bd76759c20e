package io.felice.config;

import io.felice.api.FeliceException;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.PlacementRule;
import io.felice.config.Setting.Kind;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The broker settings that Kafka's tools can change. The file io.felice.broker.cfg may contain them too. */
final class BrokerKeys {
    private BrokerKeys() {}

    static Map<String, Setting> settings() {
        Map<String, Setting> settings = new TreeMap<>();
        BrokerConfig.KEYS.forEach((name, key) -> settings.put(name, of(key)));
        return settings;
    }

    private static Setting of(ConfigKey key) {
        BigDecimal min = BigDecimal.valueOf(key.min());
        BigDecimal max = BigDecimal.valueOf(key.max());
        return switch (key.type()) {
            case BOOLEAN -> new Setting(Kind.FLAG, null, null, false);
            case INT, SHORT, LONG -> new Setting(Kind.WHOLE_NUMBER, min, max, false);
            case DOUBLE -> new Setting(Kind.NUMBER, min, max, false);
            case STRING, CLASS, PASSWORD, UNKNOWN, LIST -> Setting.text(rule(key));
        };
    }

    private static Setting.Rule rule(ConfigKey key) {
        if (key.name().equals(BrokerConfig.STORAGE_PLACEMENT)) {
            return text -> objection(() -> PlacementRule.parse(text), PlacementRule.expected());
        }
        return text -> objection(() -> key.check(text), key.expected());
    }

    private static Optional<String> objection(Runnable check, String expected) {
        try {
            check.run();
            return Optional.empty();
        } catch (FeliceException illegal) {
            return Optional.of(expected);
        }
    }
}
