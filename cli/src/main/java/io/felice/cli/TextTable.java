package io.felice.cli;

import io.felice.shell.text.Listing;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Draws rows as columns with two spaces between. If the columns are wider than the terminal, the widest ones are folded, so
 * that no text is lost. Numbers are at the right edge of their column.
 */
final class TextTable {
    private static final String GAP = "  ";
    private static final int NARROW = 16;
    private static final int NARROWEST = 8;

    private final List<List<String>> lines = new ArrayList<>();
    private final boolean[] isNumber;
    private final int[] widths;

    /** @param width of the terminal; 0 for no limit */
    TextTable(Listing listing, boolean hasHeadings, int width) {
        int columns = listing.columns().size();
        isNumber = new boolean[columns];
        Arrays.fill(isNumber, true);
        listing.rows().forEach(this::noteNumbers);
        if (hasHeadings) {
            lines.add(listing.columns().stream().map(TextTable::heading).toList());
        }
        for (List<Object> row : listing.rows()) {
            lines.add(row.stream().map(TextTable::text).toList());
        }
        widths = new int[columns];
        for (List<String> line : lines) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], length(line.get(i)));
            }
        }
        if (width > 0) {
            narrow(width);
        }
    }

    private void noteNumbers(List<Object> row) {
        for (int i = 0; i < isNumber.length; i++) {
            isNumber[i] &= row.get(i) == null || row.get(i) instanceof Number;
        }
    }

    private static String heading(String column) {
        return column.toUpperCase(Locale.ROOT).replace('_', '-');
    }

    /** A cell for people. */
    static String text(Object cell) {
        if (cell == null || (cell instanceof String text && text.isEmpty())) {
            return "-";
        } else if (cell instanceof Iterable<?> list) {
            String joined = StreamSupport.stream(list.spliterator(), false)
                    .map(TextTable::text)
                    .collect(Collectors.joining(","));
            return joined.isEmpty() ? "-" : joined;
        } else if (cell instanceof Double number) {
            return number == Math.rint(number) && Math.abs(number) < 1e15
                    ? Long.toString(number.longValue())
                    : number.toString();
        }
        return Listing.printable(cell).toString();
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** Takes from the widest column until the rows fit: from the first, which has the names, last. */
    private void narrow(int width) {
        int room = width - GAP.length() * (widths.length - 1);
        narrow(1, NARROW, room);
        narrow(0, NARROWEST, room);
    }

    private void narrow(int first, int least, int room) {
        while (Arrays.stream(widths).sum() > room) {
            int widest = -1;
            for (int i = first; i < widths.length; i++) {
                widest = widths[i] > least && (widest < 0 || widths[i] > widths[widest]) ? i : widest;
            }
            if (widest < 0) {
                return;
            }
            widths[widest]--;
        }
    }

    void print(PrintStream to) {
        for (List<String> line : lines) {
            List<List<String>> cells = new ArrayList<>();
            for (int i = 0; i < widths.length; i++) {
                cells.add(folded(line.get(i), widths[i]));
            }
            int height = cells.stream().mapToInt(List::size).max().orElse(1);
            for (int part = 0; part < height; part++) {
                to.println(row(cells, part));
            }
        }
    }

    private String row(List<List<String>> cells, int part) {
        StringBuilder row = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = part < cells.get(i).size() ? cells.get(i).get(part) : "";
            String space = " ".repeat(Math.max(0, widths[i] - length(cell)));
            row.append(i == 0 ? "" : GAP)
                    .append(isNumber[i] ? space : "")
                    .append(cell)
                    .append(isNumber[i] ? "" : space);
        }
        return row.toString().stripTrailing();
    }

    /** Breaks a text at the last space or comma that fits, or where the line is full. */
    private static List<String> folded(String text, int width) {
        List<String> parts = new ArrayList<>();
        String rest = text;
        while (length(rest) > width) {
            int end = rest.offsetByCodePoints(0, width);
            int space = Math.max(rest.lastIndexOf(' ', end), rest.lastIndexOf(',', end - 1) + 1);
            int cut = space > end / 3 ? space : end;
            parts.add(rest.substring(0, cut).stripTrailing());
            rest = rest.substring(cut).stripLeading();
        }
        parts.add(rest);
        return parts;
    }
}
