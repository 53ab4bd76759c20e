package io.felice.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rules that make a user name of the subject of a certificate ({@code ssl.principal.mapping.rules} of Apache Kafka,
 * KIP-371). The first rule whose pattern matches the whole subject makes the name.
 *
 * <pre>
 * rules := rule {"," rule}
 * rule  := "DEFAULT" | "RULE:" pattern "/" replacement "/" ["L" | "U"]
 * </pre>
 *
 * DEFAULT is the subject itself, as RFC 2253 writes it. L makes the name lower case, U upper case. In a pattern and a
 * replacement a slash is written {@code \/}.
 */
final class PrincipalRules {
    private static final String DEFAULT = "DEFAULT";
    private static final String RULE = "RULE:";

    private final List<Rule> rules;

    private PrincipalRules(List<Rule> rules) {
        this.rules = List.copyOf(rules);
    }

    /**
     * No text means DEFAULT.
     *
     * @throws IllegalArgumentException with a sentence for the operator
     */
    static PrincipalRules parse(String text) {
        return new PrincipalRules(text.isBlank() ? List.of(Rule.SUBJECT) : new Parser(text.trim()).rules());
    }

    /** The user name; empty if no rule matches. */
    Optional<String> nameOf(String subject) {
        return rules.stream().flatMap(rule -> rule.nameOf(subject).stream()).findFirst();
    }

    /** @param pattern null for DEFAULT */
    private record Rule(Pattern pattern, String replacement, char letters) {
        private static final Rule SUBJECT = new Rule(null, "", ' ');

        Optional<String> nameOf(String subject) {
            if (pattern == null) {
                return Optional.of(subject);
            }
            Matcher matcher = pattern.matcher(subject);
            return matcher.matches() ? Optional.of(inLetters(matcher.replaceAll(replacement))) : Optional.empty();
        }

        private String inLetters(String name) {
            return switch (letters) {
                case 'L' -> name.toLowerCase(Locale.ENGLISH);
                case 'U' -> name.toUpperCase(Locale.ENGLISH);
                default -> name;
            };
        }
    }

    private static final class Parser {
        private final String text;
        private int at;

        private Parser(String text) {
            this.text = text;
        }

        private List<Rule> rules() {
            List<Rule> rules = new ArrayList<>();
            while (at < text.length()) {
                int from = at;
                rules.add(rule(from));
                skipBlanks();
                if (at < text.length() && text.charAt(at) != ',') {
                    throw unreadable(from, "a comma or the end must follow the rule");
                }
                at++;
                skipBlanks();
            }
            return rules;
        }

        private Rule rule(int from) {
            if (text.startsWith(DEFAULT, at)) {
                at += DEFAULT.length();
                return Rule.SUBJECT;
            }
            if (!text.startsWith(RULE, at)) {
                throw unreadable(
                        from,
                        "a rule is DEFAULT or RULE:pattern/replacement/, RULE:pattern/replacement/L, "
                                + "RULE:pattern/replacement/U");
            }
            at += RULE.length();
            Pattern pattern = pattern(from);
            String replacement = replacement(from, pattern);
            boolean hasLetters = at < text.length() && "LU".indexOf(text.charAt(at)) >= 0;
            return new Rule(pattern, replacement, hasLetters ? text.charAt(at++) : ' ');
        }

        private Pattern pattern(int from) {
            try {
                return Pattern.compile(upToSlash(from));
            } catch (IllegalArgumentException illegal) {
                throw unreadable(from, "its pattern is no regular expression: " + illegal.getMessage());
            }
        }

        /** A reference to a group that the pattern does not have stands for itself, as in Kafka. */
        private String replacement(int from, Pattern pattern) {
            int groups = pattern.matcher("").groupCount();
            String replacement = upToSlash(from);
            if (groups == 0 && replacement.contains("$")) {
                throw unreadable(from, "its replacement refers to a group, and its pattern has none");
            }
            String escaped = Pattern.compile("\\$(?=(\\d))")
                    .matcher(replacement)
                    .replaceAll(reference -> {
                        boolean isKnown = Character.digit(reference.group(1).charAt(0), 10) <= groups;
                        return Matcher.quoteReplacement(isKnown ? "$" : "\\$");
                    });
            requireReplacement(from, pattern, escaped);
            return escaped;
        }

        /** Fails now rather than when a client comes. */
        private void requireReplacement(int from, Pattern pattern, String replacement) {
            Matcher probe = Pattern.compile(pattern.pattern() + "|").matcher("");
            try {
                probe.replaceFirst(replacement);
            } catch (IllegalArgumentException | IndexOutOfBoundsException illegal) {
                throw unreadable(from, "its replacement is illegal: " + illegal.getMessage());
            }
        }

        private String upToSlash(int from) {
            int start = at;
            while (at < text.length() && text.charAt(at) != '/') {
                at += text.charAt(at) == '\\' ? 2 : 1;
            }
            if (at >= text.length()) {
                throw unreadable(from, "a slash is missing");
            }
            return text.substring(start, at++);
        }

        private void skipBlanks() {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
                at++;
            }
        }

        private IllegalArgumentException unreadable(int from, String why) {
            return new IllegalArgumentException(
                    "ssl.principal.mapping.rules: \"" + text.substring(from) + "\" cannot be read: " + why);
        }
    }
}
