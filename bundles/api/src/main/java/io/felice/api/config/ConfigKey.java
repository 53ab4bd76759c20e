package io.felice.api.config;

import io.felice.api.ErrorCode;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * One configuration key: its name, type, default and what it means, as Kafka's tools show it.
 *
 * @param name Kafka's name where Kafka has the key
 * @param defaultValue as text; null if there is none
 * @param min smallest legal number, for number types
 * @param max largest legal number, for number types
 * @param allowed legal words, for STRING, LIST and BOOLEAN; empty if any is
 * @param pattern a regular expression that every word of a LIST matches; null if any word is legal
 * @param dynamic false if only a file can set it (DescribeConfigs says read-only)
 * @param brokerKey for topic keys: the broker key that gives the topic's default ({@code log.retention.ms}); null if none
 * @param documentation one or two sentences; null for a name that nobody has declared
 */
public record ConfigKey(
        String name,
        Type type,
        String defaultValue,
        long min,
        long max,
        List<String> allowed,
        String pattern,
        boolean dynamic,
        String brokerKey,
        String documentation) {
    /** Kafka's types with the numbers that DescribeConfigs uses. */
    public enum Type {
        /** The type of a name that is not declared anywhere. Any text is legal, and no value is shown. */
        UNKNOWN(0),
        BOOLEAN(1),
        STRING(2),
        INT(3),
        SHORT(4),
        LONG(5),
        DOUBLE(6),
        LIST(7),
        CLASS(8),
        PASSWORD(9);

        private final byte code;

        Type(int code) {
            this.code = (byte) code;
        }

        public byte code() {
            return code;
        }
    }

    public ConfigKey {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        allowed = List.copyOf(allowed);
    }

    /** True if the value may be a secret: it is kept and never shown. */
    public boolean isSensitive() {
        return type == Type.PASSWORD || type == Type.UNKNOWN;
    }

    /**
     * Checks a value.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG with the key, the value and what is allowed
     */
    public void check(String value) {
        if (value == null) {
            throw invalid("null");
        }
        switch (type) {
            case BOOLEAN -> {
                if (!value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
                    throw invalid(value);
                }
                checkWord(value.toLowerCase(Locale.ROOT));
            }
            case INT, SHORT, LONG -> checkNumber(value);
            case DOUBLE -> checkDouble(value);
            case LIST -> {
                for (String item : value.split(",", -1)) {
                    checkWord(item.trim());
                }
            }
            case STRING, CLASS, PASSWORD, UNKNOWN -> checkWord(value);
        }
    }

    private void checkNumber(String value) {
        long number;
        try {
            number = Long.parseLong(value.trim());
        } catch (NumberFormatException notANumber) {
            throw invalid(value);
        }
        if (number < min || number > max) {
            throw invalid(value);
        }
    }

    private void checkDouble(String value) {
        double number;
        try {
            number = Double.parseDouble(value.trim());
        } catch (NumberFormatException notANumber) {
            throw invalid(value);
        }
        if (!(number >= min && number <= max)) {
            throw invalid(value);
        }
    }

    private void checkWord(String word) {
        boolean listed = allowed.isEmpty() || allowed.contains(word);
        if (!listed || pattern != null && !word.matches(pattern)) {
            throw invalid(word);
        }
    }

    /** What a value must be, as the end of a sentence: {@code a whole number from 1 to 100}. */
    public String expected() {
        if (!allowed.isEmpty()) {
            return (allowed.size() == 1 ? "" : "one of ") + String.join(", ", allowed);
        }
        return switch (type) {
            case BOOLEAN -> "true or false";
            case INT, SHORT, LONG -> "a whole number " + range();
            case DOUBLE -> "a number " + range();
            case STRING, CLASS, PASSWORD, UNKNOWN -> "a text";
            case LIST -> pattern == null ? "a list" : "a list of items that match " + pattern;
        };
    }

    private String range() {
        return max == Long.MAX_VALUE ? "of at least " + min : "from " + min + " to " + max;
    }

    private RuntimeException invalid(String value) {
        return ErrorCode.INVALID_CONFIG.because(
                "Invalid value " + value + " for configuration " + name + ": it must be " + expected() + ".");
    }
}
