package io.felice.config;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * One setting of a bundle, and its legal values.
 *
 * @param min the smallest number
 * @param max the largest number
 * @param isList true if the setting has several values, separated by commas
 * @param rule checks a text or a list
 */
record Setting(Kind kind, BigDecimal min, BigDecimal max, boolean isList, Rule rule) {

    enum Kind {
        WHOLE_NUMBER,
        NUMBER,
        FLAG,
        TEXT
    }

    /** Checks a text. A list is checked as one text, with its values separated by commas. */
    interface Rule {
        /** Accepts every text: the bundle itself checks it. */
        Rule ANYTHING = text -> Optional.empty();

        /** Empty if the text is legal. Otherwise what it must be, as the end of a sentence. */
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

    /** Empty if the value is legal. Otherwise what it must be, as the end of a sentence. */
    Optional<String> objection(Object value) {
        String text = text(value);
        if (isList || kind == Kind.TEXT) {
            return rule.objection(text);
        }
        boolean fits = kind == Kind.FLAG ? isFlag(text) : isNumber(text);
        return fits ? Optional.empty() : Optional.of(expected());
    }

    /** The value as it is written in a file. */
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

    /** Accepts what Declarative Services can convert: no exponent and no fraction. */
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
