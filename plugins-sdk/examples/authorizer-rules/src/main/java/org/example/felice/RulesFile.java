package org.example.felice;

import io.felice.api.security.Action;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Decides by the rules of a file, one in a line: {@code allow|deny PRINCIPAL OPERATION,... TYPE NAME}. The principal is
 * {@code User:alice}, or {@code *} for everybody. An operation {@code all} stands for all. A name that ends with
 * {@code *} stands for all names that begin so. A denial wins. What no rule allows is not allowed. Lines that begin with
 * {@code #} are comments.
 *
 * <p>Each call looks whether the file has changed. If it is missing, cannot be read, or has a line that is wrong,
 * nothing is allowed: the exception says why, and Felice logs it.
 */
@Component(property = Authorizer.NAME + "=rules", configurationPid = "org.example.felice.rules")
@Designate(ocd = RulesFile.Config.class)
public final class RulesFile implements Authorizer {
    @ObjectClassDefinition(name = "Rules in a file", description = "Who may do what.")
    public @interface Config {
        @AttributeDefinition(description = "The file with the rules. Empty: nothing is allowed.")
        String file() default "";
    }

    private static final long MOST_BYTES = 16 << 20;
    private static final String ANY = "*";

    private final Path file;
    private Stamp stamp;
    private List<Rule> rules = List.of();

    @Activate
    public RulesFile(Config config) {
        file = Path.of(config.file());
    }

    @Override
    public CompletionStage<List<Decision>> authorize(Requester requester, List<Action> actions) {
        List<Rule> ofRequester = rulesOf(requester);
        return CompletableFuture.completedFuture(
                actions.stream().map(action -> decide(ofRequester, action)).toList());
    }

    private static Decision decide(List<Rule> rules, Action action) {
        List<Rule> about = rules.stream().filter(rule -> rule.isAbout(action)).toList();
        if (about.isEmpty()) {
            return Decision.NO_OPINION;
        }
        return about.stream().allMatch(Rule::allows) ? Decision.ALLOW : Decision.DENY;
    }

    @Override
    public CompletionStage<Decision> authorizeAny(Requester requester, Operation operation, ResourceType type) {
        List<Rule> about = rulesOf(requester).stream()
                .filter(rule -> rule.isAbout(operation, type))
                .toList();
        boolean isAllowed = about.stream().filter(Rule::allows).anyMatch(allowed -> about.stream()
                .noneMatch(rule -> !rule.allows() && rule.covers(allowed.name())));
        return CompletableFuture.completedFuture(isAllowed ? Decision.ALLOW : Decision.NO_OPINION);
    }

    private List<Rule> rulesOf(Requester requester) {
        return rules().stream().filter(rule -> rule.isOf(requester.principal())).toList();
    }

    private synchronized List<Rule> rules() {
        try {
            Stamp found = Stamp.of(file);
            if (!found.equals(stamp)) {
                stamp = null;
                rules = read();
                stamp = found;
            }
            return rules;
        } catch (IOException | IllegalArgumentException failure) {
            throw new IllegalStateException("Nothing is allowed: the file \"" + file + "\" cannot be used", failure);
        }
    }

    private List<Rule> read() throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException("it has more than " + MOST_BYTES + " bytes");
        }
        List<Rule> read = new ArrayList<>();
        List<String> lines = Files.readAllLines(file);
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1).trim();
            if (!line.isEmpty() && !line.startsWith("#")) {
                read.add(Rule.parse(line, number));
            }
        }
        return List.copyOf(read);
    }

    /** Two files with the same stamp have the same content. */
    private record Stamp(FileTime modified, long size, Object key) {
        static Stamp of(Path file) throws IOException {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
        }
    }

    /** A line of the file. */
    private record Rule(boolean allows, String principal, Set<Operation> operations, ResourceType type, String name) {
        private static final int WORDS = 5;

        static Rule parse(String line, int number) {
            String[] words = line.split("\\s+");
            try {
                if (words.length != WORDS || !(words[0].equals("allow") || words[0].equals("deny"))) {
                    throw new IllegalArgumentException("a rule is: allow|deny PRINCIPAL OPERATION,... TYPE NAME");
                }
                return new Rule(
                        words[0].equals("allow"),
                        words[1].equals(ANY) ? ANY : Principal.parse(words[1]).toString(),
                        Arrays.stream(words[2].split(",", -1))
                                .map(word -> Operation.valueOf(word.toUpperCase(Locale.ROOT)))
                                .collect(Collectors.toUnmodifiableSet()),
                        ResourceType.valueOf(words[3].toUpperCase(Locale.ROOT)),
                        words[4]);
            } catch (RuntimeException wrong) {
                throw new IllegalArgumentException("line " + number + " is wrong: " + wrong.getMessage(), wrong);
            }
        }

        boolean isOf(Principal who) {
            return principal.equals(ANY) || principal.equals(who.toString());
        }

        boolean isAbout(Action action) {
            return isAbout(action.operation(), action.type()) && covers(action.name());
        }

        boolean isAbout(Operation operation, ResourceType ofType) {
            return type == ofType && (operations.contains(operation) || operations.contains(Operation.ALL));
        }

        /** True if the rule is about the resource with this name, or about all names that another rule is about. */
        boolean covers(String other) {
            return name.endsWith(ANY) ? other.startsWith(name.substring(0, name.length() - 1)) : name.equals(other);
        }
    }
}
