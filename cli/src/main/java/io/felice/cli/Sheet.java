package io.felice.cli;

import io.felice.shell.text.Listing;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is known about one thing: single values, and tables below them. In JSON it is an object, in which a table is an array.
 * One thread.
 */
final class Sheet {
    private final Map<String, Object> fields = new LinkedHashMap<>();

    /** @param value a cell, a map of cells, or a {@link Listing} */
    Sheet with(String name, Object value) {
        fields.put(name, value);
        return this;
    }

    Map<String, Object> fields() {
        return fields;
    }

    void print(PrintStream to, int width) {
        int longest = fields.entrySet().stream()
                .filter(field -> !isBelow(field.getValue()))
                .mapToInt(field -> field.getKey().length())
                .max()
                .orElse(0);
        fields.forEach((name, value) -> {
            if (!isBelow(value)) {
                to.println(label(name) + " ".repeat(longest - name.length() + 2) + TextTable.text(value));
            }
        });
        fields.forEach((name, value) -> {
            if (isBelow(value)) {
                printBelow(to, name, value, width);
            }
        });
    }

    private static boolean isBelow(Object value) {
        return value instanceof Listing || value instanceof Map<?, ?>;
    }

    private static String label(String name) {
        return name.replace('_', ' ');
    }

    private static void printBelow(PrintStream to, String name, Object value, int width) {
        Listing listing = value instanceof Listing rows ? rows : rowsOf((Map<?, ?>) value);
        if (!listing.rows().isEmpty()) {
            to.println();
            to.println(label(name) + ":");
            new TextTable(listing, value instanceof Listing, width).print(to);
        }
    }

    private static Listing rowsOf(Map<?, ?> values) {
        Listing rows = new Listing("key", "value");
        values.forEach((key, value) ->
                rows.row("  " + key, value instanceof String text ? HumanUnits.shown(key.toString(), text) : value));
        return rows;
    }
}
