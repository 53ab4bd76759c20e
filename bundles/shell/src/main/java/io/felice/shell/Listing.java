package io.felice.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.support.table.Row;
import org.apache.karaf.shell.support.table.ShellTable;

/** Rows that a command prints: as a table for people, or as JSON for programs. One thread. */
final class Listing {
    private static final JsonFactory JSON = new JsonFactory();

    private final List<String> columns;
    private final List<List<?>> rows = new ArrayList<>();

    /** @param columns the headings of the table, and the names of the fields in JSON */
    Listing(String... columns) {
        this.columns = List.of(columns);
    }

    /** Adds a row: strings, numbers and booleans. */
    void row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + columns);
        }
        rows.add(List.of(cells));
    }

    void print(PrintStream to, boolean asJson, String whenEmpty) throws IOException {
        if (asJson) {
            to.println(json());
        } else {
            table(whenEmpty).print(to);
        }
    }

    private ShellTable table(String whenEmpty) {
        ShellTable table = new ShellTable().emptyTableText(whenEmpty);
        columns.forEach(table::column);
        for (List<?> cells : rows) {
            Row row = table.addRow();
            cells.forEach(cell -> row.addContent(printable(cell)));
        }
        return table;
    }

    /** Names come from clients: with control characters they could hide the rows behind them, or forge some. */
    static Object printable(Object cell) {
        return cell instanceof String text ? text.replaceAll("\\p{Cntrl}", "?") : cell;
    }

    /** An array with an object for each row. */
    private String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            json.writeStartArray();
            for (List<?> cells : rows) {
                json.writeStartObject();
                for (int i = 0; i < columns.size(); i++) {
                    write(json, columns.get(i), cells.get(i));
                }
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        return text.toString();
    }

    private static void write(JsonGenerator json, String name, Object value) throws IOException {
        if (value instanceof Boolean bool) {
            json.writeBooleanField(name, bool);
        } else if (value instanceof Double number) {
            json.writeNumberField(name, number);
        } else if (value instanceof Number number) {
            json.writeNumberField(name, number.longValue());
        } else {
            json.writeStringField(name, value.toString());
        }
    }
}
