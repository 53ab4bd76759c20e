package io.felice.config;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * One setting of a bundle and what it takes.
 *
 * @param kind what a text must be to be a value
 * @param min smallest number
 * @param max largest number
 * @param isList several values, with commas between; each is left to the bundle
 */
record Setting(Kind kind, BigDecimal min, BigDecimal max, boolean isList) {

    /** The kinds of values that are told apart. */
    enum Kind {
        WHOLE_NUMBER,
        NUMBER,
        FLAG,
        TEXT
    }

    static Setting text() {
        return new Setting(Kind.TEXT, null, null, false);
    }

    /** What the value had to be, as the end of a sentence; empty if it is just that. */
    Optional<String> objection(Object value) {
        if (isList || kind == Kind.TEXT) {
            return Optional.empty();
        }
        String text = value.toString().trim();
        boolean fits = kind == Kind.FLAG ? isFlag(text) : isNumber(text);
        return fits ? Optional.empty() : Optional.of(expected());
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
