package io.felice.broker;

import io.felice.api.config.PlacementRule;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The value of {@code storage.placement}, for example {@code audit-*:mvstore,*:log}. The first pattern that matches the
 * name of a topic gives the engine of the topic, unless the topic's config names an engine.
 */
record Placement(List<Rule> rules) {
    private static final String EVERYTHING = pattern("*").pattern();

    /** In the pattern {@code *} stands for any characters. */
    record Rule(Pattern topics, String engine) {}

    Placement {
        rules = List.copyOf(rules);
    }

    /** @throws io.felice.api.FeliceException INVALID_CONFIG if the text cannot be parsed */
    static Placement of(String text) {
        return new Placement(PlacementRule.parse(text).stream()
                .map(pair -> new Rule(pattern(pair.topics()), pair.engine()))
                .toList());
    }

    String engineOf(String topic) {
        return rules.stream()
                .filter(rule -> rule.topics().matcher(topic).matches())
                .map(Rule::engine)
                .findFirst()
                .orElse(PlacementRule.OTHERWISE);
    }

    Set<String> engines() {
        Set<String> names = new TreeSet<>();
        rules.forEach(rule -> names.add(rule.engine()));
        return names;
    }

    /** Includes the default engine, unless a pattern matches every topic. */
    Set<String> enginesInUse() {
        Set<String> names = engines();
        if (rules.stream().noneMatch(rule -> rule.topics().pattern().equals(EVERYTHING))) {
            names.add(PlacementRule.OTHERWISE);
        }
        return names;
    }

    private static Pattern pattern(String glob) {
        StringBuilder regex = new StringBuilder();
        for (String part : glob.split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(part));
        }
        return Pattern.compile(regex.toString());
    }
}
