package io.felice.api.status;

import java.util.Objects;

/**
 * A column of a {@link StatusTable}: what its cells are, so that a metric can be made of them.
 *
 * @param name in lower case, words separated by dots, for example {@code in.bytes}. If the column has a unit, the name
 *     ends with the word of the unit
 * @param description a sentence without a full stop: what the number counts or measures
 */
public record TableColumn(String name, Kind kind, Unit unit, String description) {
    private static final String WORDS = "[a-z][a-z0-9]*(\\.[a-z0-9]+)*";

    /** What the cells of a column are. */
    public enum Kind {
        /** A {@link String} that says what the row is about. The labels of a table together identify a row. */
        LABEL,
        /** A {@link Long} or {@link Double} that only grows until its bundle is started again. */
        COUNTER,
        /** A {@link Long} or {@link Double} that goes up and down, or a {@link Boolean}, which is 1 or 0 as a metric. */
        GAUGE,
        /** A {@link Histogram}. */
        HISTOGRAM,
        /** A {@link String} for people. No metric is made of it. */
        TEXT;

        boolean admits(Object cell) {
            return switch (this) {
                case LABEL, TEXT -> cell instanceof String;
                case COUNTER -> cell instanceof Long || cell instanceof Double;
                case GAUGE -> cell instanceof Long || cell instanceof Double || cell instanceof Boolean;
                case HISTOGRAM -> cell instanceof Histogram;
            };
        }
    }

    /** What a number counts. */
    public enum Unit {
        /** A number of what the name of the column says. */
        NONE(""),
        BYTES("bytes"),
        /** Milliseconds: a duration, or a time since 1970-01-01 UTC if the description says so. */
        MILLISECONDS("ms"),
        DAYS("days"),
        /** From 0 to 100. */
        PERCENT("percent");

        private final String word;

        Unit(String word) {
            this.word = word;
        }

        /** The last word of the names of columns with this unit; empty for {@link #NONE}. */
        public String word() {
            return word;
        }
    }

    public TableColumn {
        Objects.requireNonNull(kind);
        requireWords(name);
        if (description.isBlank()) {
            throw new IllegalArgumentException("column " + name + " has no description");
        }
        if (unit != Unit.NONE && !name.equals(unit.word()) && !name.endsWith("." + unit.word())) {
            throw new IllegalArgumentException(
                    "column " + name + " has the unit " + unit + ", so its name has to end with " + unit.word());
        }
    }

    static void requireWords(String name) {
        if (!name.matches(WORDS)) {
            throw new IllegalArgumentException(
                    "'" + name + "' is no name of a table or column: words in lower case, separated by dots");
        }
    }
}
