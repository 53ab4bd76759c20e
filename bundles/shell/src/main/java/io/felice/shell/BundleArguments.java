package io.felice.shell;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Finds the bundles that a line names and that are not here. Karaf's commands pass over such a name in silence if the line
 * names others too, and some of them do so always.
 */
final class BundleArguments {
    private static final Set<String> COMMANDS = Set.of(
            "bundle:start", "bundle:stop", "bundle:restart", "bundle:refresh", "bundle:resolve", "bundle:uninstall");
    private static final Pattern ANOTHER_COMMAND = Pattern.compile("[;|&(){}$`\"'\\n]");

    private final Predicate<String> exists;

    /** @param exists whether a word names a bundle, or several, by number, name or pattern */
    BundleArguments(Predicate<String> exists) {
        this.exists = exists;
    }

    /** The first word that names no bundle; a line that is more than a plain command is not looked through. */
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
