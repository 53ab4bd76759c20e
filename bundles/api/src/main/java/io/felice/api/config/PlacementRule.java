package io.felice.api.config;

import static io.felice.api.ErrorCode.INVALID_CONFIG;

import java.util.ArrayList;
import java.util.List;

/**
 * One pair of {@link BrokerConfig#STORAGE_PLACEMENT}: the engine keeps the topics whose names match the pattern.
 *
 * @param topics a topic name in which {@code *} stands for any number of characters
 * @param engine the name of a storage engine, which need not be running on this node
 */
public record PlacementRule(String topics, String engine) {

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
