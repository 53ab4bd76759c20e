package io.felice.testkit;

import io.felice.api.config.BrokerConfig;
import io.felice.api.config.PlacementRule;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authorizer;
import io.felice.api.security.CredentialStore;
import io.felice.api.storage.StorageEngine;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The extensions that a node's settings name. One that is not there would keep clients waiting without a word. */
final class WantedExtensions {
    private static final String BROKER = "io.felice.broker";
    private static final String NETWORK = "io.felice.network";
    private static final String SECURITY = "io.felice.security";

    private WantedExtensions() {}

    /** @throws IllegalArgumentException if the class path does not have one of them; the message says what it has */
    static void check(Map<String, Map<String, Object>> configurations, List<ComponentDescription> components) {
        if (components.stream().noneMatch(component -> component.bundle().equals(BROKER))) {
            throw new IllegalArgumentException("The class path does not have the bundles of a node, such as " + BROKER
                    + "; it has: " + bundles(components));
        }
        String placement = text(configurations, BROKER, BrokerConfig.STORAGE_PLACEMENT);
        PlacementRule.parse(placement.isEmpty() ? "*:log" : placement)
                .forEach(rule -> mustHave("storage engine", StorageEngine.NAME, rule.engine(), Set.of(), components));
        for (String mechanism :
                text(configurations, NETWORK, "sasl.enabled.mechanisms").split(",")) {
            mustHave("SASL mechanism", Authenticator.MECHANISM, mechanism.trim(), Set.of("OAUTHBEARER"), components);
        }
        mustHave(
                "credential store",
                CredentialStore.NAME,
                text(configurations, SECURITY, "credential.store"),
                Set.of("felice"),
                components);
        mustHave(
                "authorizer",
                Authorizer.NAME,
                text(configurations, SECURITY, "authorizer"),
                Set.of("acl", "none"),
                components);
    }

    private static String text(Map<String, Map<String, Object>> configurations, String pid, String key) {
        Object value = configurations.getOrDefault(pid, Map.of()).getOrDefault(key, "");
        return value instanceof Object[] several
                ? Arrays.stream(several).map(String::valueOf).collect(Collectors.joining(","))
                : value.toString();
    }

    private static void mustHave(
            String kind, String property, String name, Set<String> builtIn, List<ComponentDescription> components) {
        Set<String> there = new TreeSet<>(builtIn);
        components.forEach(component -> {
            Object found = component.properties().get(property);
            if (found != null) {
                there.add(found.toString());
            }
        });
        if (!name.isEmpty() && !there.contains(name)) {
            throw new IllegalArgumentException(
                    "There is no " + kind + " " + name + " on the class path; there are: "
                            + String.join(", ", there) + ". Bundles with components: " + bundles(components)
                            + ". A plugin is found by the file META-INF/MANIFEST.MF that bnd writes: build it before the test runs.");
        }
    }

    private static String bundles(List<ComponentDescription> components) {
        return components.stream()
                .map(ComponentDescription::bundle)
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }
}
