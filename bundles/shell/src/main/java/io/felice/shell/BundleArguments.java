package io.felice.shell;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Finds names of bundles in a command line that are not installed. Karaf's commands ignore such a name silently if the
 * line has other names too, and some commands always ignore it.
 */
final class BundleArguments {
    private static final Set<String> COMMANDS = Set.of(
            "bundle:start", "bundle:stop", "bundle:restart", "bundle:refresh", "bundle:resolve", "bundle:uninstall");
    private static final Pattern ANOTHER_COMMAND = Pattern.compile("[;|&(){}$`\"'\\n]");

    private final Predicate<String> exists;

    /** @param exists true if a word is the number, the name or a pattern of at least one bundle */
    BundleArguments(Predicate<String> exists) {
        this.exists = exists;
    }

    /** The first word that names no bundle. A line with more than one plain command is not checked. */
    Optional<String> unknown(String line) {
        List<String> words = List.of(line.trim().split("\\s+"));
        if (!COMMANDS.contains(words.get(0)) || ANOTHER_COMMAND.matcher(line).find()) {
            return Optional.empty();
        }
        return words.stream()
                .skip(1)
                .filter(word -> !word.startsWith("-") && !exists.test(word))
                .findFirst();
    }
}
