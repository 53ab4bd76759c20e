package io.felice.api.status;

import java.util.List;
import java.util.Optional;

/**
 * The values of a table at one moment. {@link TableSchema#rows} makes it.
 *
 * @param rows each has one cell for each column of the schema, and {@link TableColumn.Kind} says what a cell is
 */
public record StatusTable(TableSchema schema, List<List<Object>> rows) {
    /** The name of the column with the values of a table without labels, where such a table is shown. */
    public static final String VALUE = "value";

    /** @throws IllegalArgumentException if a row does not fit the schema */
    public StatusTable {
        rows = rows.stream().map(List::copyOf).toList();
        for (List<Object> row : rows) {
            check(schema, row);
        }
        if (!schema.hasLabels() && rows.size() != 1) {
            throw new IllegalArgumentException(
                    "table " + schema.name() + " has no label, so it has one row, not " + rows.size());
        }
    }

    private static void check(TableSchema schema, List<Object> row) {
        List<TableColumn> columns = schema.columns();
        if (row.size() != columns.size()) {
            throw new IllegalArgumentException(
                    "a row of table " + schema.name() + " has " + row.size() + " cells, not " + columns.size());
        }
        for (int i = 0; i < row.size(); i++) {
            if (!columns.get(i).kind().admits(row.get(i))) {
                throw new IllegalArgumentException("a cell of column "
                        + columns.get(i).name() + " of table "
                        + schema.name() + " is a " + row.get(i).getClass().getName() + ", which is no "
                        + columns.get(i).kind());
            }
        }
    }

    public String name() {
        return schema.name();
    }

    /**
     * A cell as it is shown: the cell of {@code column} in the first row whose first cell is {@code key}. A table without
     * labels is shown with a row for each column, and the value is in the column {@link #VALUE}.
     *
     * @return empty if there is no such row or column
     */
    public Optional<Object> cell(String key, String column) {
        return schema.hasLabels() ? find(key, column) : column.equals(VALUE) ? value(key) : Optional.empty();
    }

    private Optional<Object> find(String key, String column) {
        int index = index(column);
        return index < 0
                ? Optional.empty()
                : rows.stream()
                        .filter(row -> row.get(0).equals(key))
                        .map(row -> row.get(index))
                        .findFirst();
    }

    /** The cell of {@code column} in the first row; empty if there is no row or no such column. */
    public Optional<Object> value(String column) {
        int index = index(column);
        return index < 0
                ? Optional.empty()
                : rows.stream().map(row -> row.get(index)).findFirst();
    }

    private int index(String column) {
        List<TableColumn> columns = schema.columns();
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equals(column)) {
                return i;
            }
        }
        return -1;
    }
}
