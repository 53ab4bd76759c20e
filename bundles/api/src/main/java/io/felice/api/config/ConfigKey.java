package io.felice.api.config;

import io.felice.api.ErrorCode;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * A configuration key with its type, default and documentation, as Kafka's tools show it.
 *
 * @param name Kafka's name, if Kafka has the key
 * @param defaultValue null if the key has no default
 * @param min the smallest legal number of a number type without {@code allowed}
 * @param max the largest legal number of a number type without {@code allowed}; {@link Long#MAX_VALUE} for no limit
 * @param allowed the legal values, or items of a LIST; empty if every value is legal. If there is only one,
 *     {@code documentation} says why
 * @param pattern a regular expression that every value, or item of a LIST, must match; null if there is none
 * @param dynamic false if the key can be set only in a file; DescribeConfigs shows such a key as read-only
 * @param brokerKey for a topic key: the broker key with the default of all topics, for example {@code
 *     log.retention.ms}; null if there is no such key
 * @param documentation one or two sentences; null for an undeclared name
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
    /** Kafka's types of configs. */
    public enum Type {
        /** The type of an undeclared name. Any text is legal, and the value is never shown. */
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

        /** The number of the type in DescribeConfigs (KIP-569). */
        public byte code() {
            return code;
        }
    }

    public ConfigKey {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        allowed = List.copyOf(allowed);
    }

    /** True if the value may be a secret. Such a value is kept and never shown. */
    public boolean isSensitive() {
        return type == Type.PASSWORD || type == Type.UNKNOWN;
    }

    /**
     * Checks a value.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG with a sentence that names the key, the value and the legal
     *     values
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
            case LIST -> checkList(value);
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
        if (allowed.isEmpty() && (number < min || number > max)) {
            throw invalid(value);
        }
        checkWord(value.trim());
    }

    private void checkDouble(String value) {
        double number;
        try {
            number = Double.parseDouble(value.trim());
        } catch (NumberFormatException notANumber) {
            throw invalid(value);
        }
        boolean isLimited = max < Long.MAX_VALUE;
        if (!(number >= min && (number <= max || !isLimited))) {
            throw invalid(value);
        }
    }

    /** As in Apache Kafka, an empty text is a list without items. */
    private void checkList(String value) {
        if (value.isBlank()) {
            return;
        }
        Set<String> items = new HashSet<>();
        for (String item : value.split(",", -1)) {
            checkWord(item.trim());
            if (!items.add(item.trim())) {
                throw ErrorCode.INVALID_CONFIG.because(
                        "Configuration " + name + " has " + item.trim() + " twice; its items must differ.");
            }
        }
    }

    private void checkWord(String word) {
        boolean listed = allowed.isEmpty() || allowed.contains(word);
        if (!listed || pattern != null && !word.matches(pattern)) {
            throw invalid(word);
        }
    }

    /** The legal values, as the end of a sentence: {@code a whole number from 1 to 100}. */
    public String expected() {
        if (!allowed.isEmpty()) {
            return (allowed.size() == 1 ? "" : "one of ") + String.join(", ", allowed);
        }
        return switch (type) {
            case BOOLEAN -> "true or false";
            case INT, SHORT, LONG -> "a whole number " + range() + (pattern == null ? "" : " that matches " + pattern);
            case DOUBLE -> "a number " + range();
            case STRING, CLASS, PASSWORD, UNKNOWN -> pattern == null ? "a text" : "a text that matches " + pattern;
            case LIST -> pattern == null ? "a list" : "a list of items that match " + pattern;
        };
    }

    private String range() {
        if (min == Long.MIN_VALUE && max == Long.MAX_VALUE) {
            return "of 64 bits";
        }
        return max == Long.MAX_VALUE ? "of at least " + min : "from " + min + " to " + max;
    }

    private RuntimeException invalid(String value) {
        return ErrorCode.INVALID_CONFIG.because("Invalid value " + value + " for configuration " + name
                + ": it must be " + expected() + "." + (allowed.size() == 1 ? " " + documentation : ""));
    }
}
