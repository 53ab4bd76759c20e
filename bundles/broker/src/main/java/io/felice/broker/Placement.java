package io.felice.broker;

import io.felice.api.config.PlacementRule;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The rule {@code audit-*:mvstore,*:log}: which engine keeps a topic that does not say; the first pattern that fits. */
record Placement(List<Rule> rules) {
    private static final String OTHERWISE = "log";
    private static final String EVERYTHING = pattern("*").pattern();

    /** A pattern with {@code *} for any letters, and the engine. */
    record Rule(Pattern topics, String engine) {}

    Placement {
        rules = List.copyOf(rules);
    }

    /** @throws io.felice.api.FeliceException INVALID_CONFIG if it is no such rule */
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
                .orElse(OTHERWISE);
    }

    Set<String> engines() {
        Set<String> names = new TreeSet<>();
        rules.forEach(rule -> names.add(rule.engine()));
        return names;
    }

    /** The engines named, and the one for topics that no pattern fits if there can be any. */
    Set<String> enginesInUse() {
        Set<String> names = engines();
        if (rules.stream().noneMatch(rule -> rule.topics().pattern().equals(EVERYTHING))) {
            names.add(OTHERWISE);
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
