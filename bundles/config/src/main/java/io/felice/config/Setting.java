package io.felice.config;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * One setting of a bundle and what it takes.
 *
 * @param kind what a text must be to be a value
 * @param min smallest number
 * @param max largest number
 * @param isList several values, with commas between
 * @param rule what a text or a list must be
 */
record Setting(Kind kind, BigDecimal min, BigDecimal max, boolean isList, Rule rule) {

    /** The kinds of values that are told apart. */
    enum Kind {
        WHOLE_NUMBER,
        NUMBER,
        FLAG,
        TEXT
    }

    /** Judges a text, of a list all its values with commas between. */
    interface Rule {
        /** Leaves the judgement to the bundle. */
        Rule ANYTHING = text -> Optional.empty();

        /** What the text had to be, as the end of a sentence; empty if it is just that. */
        Optional<String> objection(String text);
    }

    Setting(Kind kind, BigDecimal min, BigDecimal max, boolean isList) {
        this(kind, min, max, isList, Rule.ANYTHING);
    }

    static Setting text() {
        return text(Rule.ANYTHING);
    }

    static Setting text(Rule rule) {
        return new Setting(Kind.TEXT, null, null, false, rule);
    }

    /** What the value had to be, as the end of a sentence; empty if it is just that. */
    Optional<String> objection(Object value) {
        String text = text(value);
        if (isList || kind == Kind.TEXT) {
            return rule.objection(text);
        }
        boolean fits = kind == Kind.FLAG ? isFlag(text) : isNumber(text);
        return fits ? Optional.empty() : Optional.of(expected());
    }

    /** As it would stand in a file. */
    static String text(Object value) {
        return (value instanceof String[] several ? String.join(",", several) : value.toString()).trim();
    }

    private static boolean isFlag(String text) {
        return text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false");
    }

    private boolean isNumber(String text) {
        try {
            BigDecimal number = kind == Kind.WHOLE_NUMBER ? wholeNumber(text) : new BigDecimal(text);
            return number.compareTo(min) >= 0 && number.compareTo(max) <= 0;
        } catch (NumberFormatException noNumber) {
            return false;
        }
    }

    /** Read as the platform will: no exponent, no fraction. */
    private static BigDecimal wholeNumber(String text) {
        return BigDecimal.valueOf(Long.parseLong(text));
    }

    private String expected() {
        return switch (kind) {
            case FLAG -> "true or false";
            case WHOLE_NUMBER -> "a whole number " + range();
            case NUMBER -> "a number " + range();
            case TEXT -> "a text";
        };
    }

    private String range() {
        return max.equals(BigDecimal.valueOf(Long.MAX_VALUE)) ? "of at least " + min : "from " + min + " to " + max;
    }
}
