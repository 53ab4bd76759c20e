package io.felice.api.status;

import java.util.List;
import java.util.Optional;

/**
 * A named table; cells are {@link Long}, {@link Double}, {@link Boolean} or {@link String}.
 *
 * @param name lower case, dotted, stable: {@code network.requests}
 * @param columns names in lower case with the unit last where there is one: {@code bytes}, {@code time.ms}; the first
 *     column is the row's key
 * @param rows each as long as {@code columns}
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

    /** The cell in the row whose first cell, as text, is {@code key}; empty if there is no such row or column. */
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
