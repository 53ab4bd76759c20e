package io.felice.config;

import java.util.Dictionary;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Warns once of each file that belongs to no bundle. Any thread; one at a time. */
final class UnreadFiles {
    private static final String ENDING = ".cfg";

    private final KnownSettings settings;
    private final Supplier<List<Dictionary<String, Object>>> configurations;
    private final Consumer<String> warn;
    private Set<String> known = Set.of();

    UnreadFiles(
            KnownSettings settings, Supplier<List<Dictionary<String, Object>>> configurations, Consumer<String> warn) {
        this.settings = settings;
        this.configurations = configurations;
        this.warn = warn;
    }

    void look() {
        List<String> bundles = settings.pids();
        Set<String> files = new HashSet<>();
        for (Dictionary<String, Object> configuration : configurations.get()) {
            if (!bundles.contains(Origin.pid(configuration))) {
                files.add(Origin.file(configuration));
            }
        }
        tell(files);
    }

    private synchronized void tell(Set<String> files) {
        files.stream().filter(file -> !known.contains(file)).sorted().forEach(file -> warn.accept(sentence(file)));
        known = files;
    }

    private String sentence(String file) {
        String name = file.substring(file.lastIndexOf('/') + 1);
        String pid = name.endsWith(ENDING) ? name.substring(0, name.length() - ENDING.length()) : name;
        List<String> read = settings.pids().stream()
                .filter(bundle -> !settings.of(bundle).isEmpty())
                .toList();
        return file + " does not have the name of an installed bundle, so no bundle reads it."
                + NearMiss.of(pid, read)
                        .map(meant -> " Did you mean " + meant + ENDING + "?")
                        .orElse("");
    }
}
