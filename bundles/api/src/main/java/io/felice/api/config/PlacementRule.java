package io.felice.api.config;

import static io.felice.api.ErrorCode.INVALID_CONFIG;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * One pair of {@link BrokerConfig#STORAGE_PLACEMENT}: the engine keeps the topics whose names match the pattern.
 *
 * @param topics a topic name in which {@code *} stands for any number of characters
 * @param engine the name of a storage engine, which need not be running on this node
 */
public record PlacementRule(String topics, String engine) {
    /** The engine of topics that no rule matches. */
    public static final String OTHERWISE = "log";

    /** The engine that the first matching rule gives to a topic. */
    public static String engineOf(List<PlacementRule> rules, String topic) {
        return rules.stream()
                .filter(rule -> rule.matches(topic))
                .findFirst()
                .map(PlacementRule::engine)
                .orElse(OTHERWISE);
    }

    /** True if the rule is for the topic with this name. */
    public boolean matches(String topic) {
        StringBuilder regex = new StringBuilder();
        for (String part : topics.split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(part));
        }
        return topic.matches(regex.toString());
    }

    /**
     * Parses pairs that are separated by commas, for example {@code audit-*:mvstore,*:log}.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG if the text has another form
     */
    public static List<PlacementRule> parse(String text) {
        List<PlacementRule> rules = new ArrayList<>();
        for (String item : text.split(",")) {
            String pair = item.trim();
            int colon = pair.lastIndexOf(':');
            if (colon <= 0 || colon == pair.length() - 1) {
                throw invalid(text);
            }
            rules.add(new PlacementRule(
                    pair.substring(0, colon).trim(), pair.substring(colon + 1).trim()));
        }
        if (rules.isEmpty()) {
            throw invalid(text);
        }
        return rules;
    }

    /** The legal texts, as the end of a sentence. */
    public static String expected() {
        return "pattern:engine pairs, as in audit-*:mvstore,*:log";
    }

    private static RuntimeException invalid(String text) {
        return INVALID_CONFIG.because("Invalid value " + text + " for configuration " + BrokerConfig.STORAGE_PLACEMENT
                + ": it must be " + expected() + ".");
    }
}
