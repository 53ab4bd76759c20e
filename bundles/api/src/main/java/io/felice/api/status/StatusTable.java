package io.felice.api.status;

import java.util.List;
import java.util.Optional;

/**
 * A table of values with a name. A cell is a {@link Long}, {@link Double}, {@link Boolean} or {@link String}.
 *
 * @param name in lower case, with dots, for example {@code network.requests}. The name of a table never changes,
 *     because metrics are named after it
 * @param columns names in lower case, for example {@code bytes} or {@code time.ms}; the unit is the last word. The
 *     first column has the keys of the rows
 * @param rows each has one cell per column
 */
public record StatusTable(String name, List<String> columns, List<List<Object>> rows) {
    public StatusTable {
        columns = List.copyOf(columns);
        rows = rows.stream().map(List::copyOf).toList();
        int width = columns.size();
        for (List<Object> row : rows) {
            if (row.size() != width) {
                throw new IllegalArgumentException(
                        "a row of table " + name + " has " + row.size() + " cells, not " + width);
            }
        }
    }

    /**
     * The cell of {@code column} in the row whose key, as text, is {@code key}; empty if there is no such row or
     * column.
     */
    public Optional<Object> cell(String key, String column) {
        int index = columns.indexOf(column);
        return index < 0
                ? Optional.empty()
                : rows.stream()
                        .filter(row -> row.get(0).toString().equals(key))
                        .map(row -> row.get(index))
                        .findFirst();
    }
}
