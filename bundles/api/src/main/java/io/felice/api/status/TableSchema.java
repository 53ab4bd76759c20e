package io.felice.api.status;

import io.felice.api.status.TableColumn.Kind;
import io.felice.api.status.TableColumn.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The name and the columns of a {@link StatusTable}. A source makes each of its schemas once, in a constant:
 *
 * <pre>{@code
 * private static final TableSchema REQUESTS = TableSchema.of("network.requests", "Requests by API")
 *         .label("api", "The name of the API")
 *         .counter("requests", "Requests that were answered")
 *         .counter("in.bytes", Unit.BYTES, "Bytes of these requests");
 * ...
 * return List.of(REQUESTS.rows(rows));
 * }</pre>
 *
 * <p>A table without a label has one row, and is shown with one line for each column.
 *
 * @param name in lower case, words separated by dots, for example {@code network.requests}. It never changes, because
 *     metrics are named after it
 * @param description a sentence without a full stop: what the rows are
 * @param columns the labels come first, and no two have the same name
 */
public record TableSchema(String name, String description, List<TableColumn> columns) {
    public TableSchema {
        TableColumn.requireWords(name);
        if (description.isBlank()) {
            throw new IllegalArgumentException("table " + name + " has no description");
        }
        columns = List.copyOf(columns);
        Set<String> names = new HashSet<>();
        boolean isBehindLabels = false;
        for (TableColumn column : columns) {
            if (!names.add(column.name())) {
                throw new IllegalArgumentException("table " + name + " has two columns " + column.name());
            } else if (column.kind() == Kind.LABEL && isBehindLabels) {
                throw new IllegalArgumentException("the label " + column.name() + " of table " + name
                        + " stands behind a column that is no label");
            }
            isBehindLabels |= column.kind() != Kind.LABEL;
        }
    }

    /** A schema without columns. */
    public static TableSchema of(String name, String description) {
        return new TableSchema(name, description, List.of());
    }

    /**
     * The schema of a table that says how much of each limit is used. The labels are {@code what} and {@code unit}, the
     * gauges {@code used} and {@code limit}.
     */
    public static TableSchema limits(String name) {
        return of(name, "What is limited, and how much of it is used")
                .label("what", "What is limited")
                .label("unit", "What both numbers count: bytes, or number for a number of things")
                .gauge("used", "How much is used now")
                .gauge("limit", "How much may be used");
    }

    /** A row of a table of {@link #limits}, for a number of things. */
    public static List<Object> limit(String what, long used, long limit) {
        return List.of(what, "number", used, limit);
    }

    /** A row of a table of {@link #limits}, in bytes. */
    public static List<Object> limitOfBytes(String what, long used, long limit) {
        return List.of(what, Unit.BYTES.word(), used, limit);
    }

    public TableSchema label(String column, String description) {
        return with(column, Kind.LABEL, Unit.NONE, description);
    }

    public TableSchema counter(String column, String description) {
        return counter(column, Unit.NONE, description);
    }

    public TableSchema counter(String column, Unit unit, String description) {
        return with(column, Kind.COUNTER, unit, description);
    }

    public TableSchema gauge(String column, String description) {
        return gauge(column, Unit.NONE, description);
    }

    public TableSchema gauge(String column, Unit unit, String description) {
        return with(column, Kind.GAUGE, unit, description);
    }

    public TableSchema histogram(String column, Unit unit, String description) {
        return with(column, Kind.HISTOGRAM, unit, description);
    }

    public TableSchema text(String column, String description) {
        return with(column, Kind.TEXT, Unit.NONE, description);
    }

    private TableSchema with(String column, Kind kind, Unit unit, String about) {
        List<TableColumn> more = new ArrayList<>(columns);
        more.add(new TableColumn(column, kind, unit, about));
        return new TableSchema(name, description, more);
    }

    /** True if the rows are told apart by labels; otherwise the table has exactly one row. */
    public boolean hasLabels() {
        return !columns.isEmpty() && columns.get(0).kind() == Kind.LABEL;
    }

    /**
     * The name of the metric that a counter, a gauge or a histogram is: {@code felice_}, the table, the column, and
     * {@code _total} for a counter, with underscores. The column's unit is in it already: {@code
     * felice_network_requests_in_bytes_total}. The labels of the table are the labels of the metric.
     *
     * @throws IllegalArgumentException if the column is a label or a text
     */
    public String metric(TableColumn column) {
        if (column.kind() == Kind.LABEL || column.kind() == Kind.TEXT) {
            throw new IllegalArgumentException("column " + column.name() + " of table " + name + " is no metric");
        }
        String metric = ("felice_" + name + "_" + column.name()).replace('.', '_');
        return column.kind() == Kind.COUNTER ? metric + "_total" : metric;
    }

    /** The table with these values of the moment. */
    public StatusTable rows(Collection<? extends List<Object>> rows) {
        return new StatusTable(this, List.copyOf(rows));
    }

    /** The table with one row. */
    public StatusTable row(Object... cells) {
        return rows(List.of(List.of(cells)));
    }
}
