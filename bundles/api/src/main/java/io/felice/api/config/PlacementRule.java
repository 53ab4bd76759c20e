package io.felice.api.config;

import static io.felice.api.ErrorCode.INVALID_CONFIG;

import java.util.ArrayList;
import java.util.List;

/**
 * One pair of {@link BrokerConfig#STORAGE_PLACEMENT}: the topics that fit the pattern are kept by the engine.
 *
 * @param topics a topic's name, with {@code *} for any letters
 * @param engine the name of a storage engine, which need not be here
 */
public record PlacementRule(String topics, String engine) {

    /**
     * Reads {@code audit-*:mvstore,*:log}: pairs with commas between.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG if it is no such text
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

    /** What a text must be, as the end of a sentence. */
    public static String expected() {
        return "pattern:engine pairs, as in audit-*:mvstore,*:log";
    }

    private static RuntimeException invalid(String text) {
        return INVALID_CONFIG.because("Invalid value " + text + " for configuration " + BrokerConfig.STORAGE_PLACEMENT
                + ": it must be " + expected() + ".");
    }
}
