package io.felice.shell.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Rows that a command shows: as a table, which is drawn elsewhere, or as JSON for programs. A cell is a string, a number, a
 * boolean, null, or a list or a map of these. One thread.
 */
public final class Listing {
    private static final JsonFactory JSON = new JsonFactory();

    private final List<String> columns;
    private final List<List<Object>> rows = new ArrayList<>();

    /** @param columns the headings of the table, and the names of the fields in JSON */
    public Listing(String... columns) {
        this.columns = List.of(columns);
    }

    /** Adds a row, with a cell for each column. */
    public Listing row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + columns);
        }
        rows.add(Collections.unmodifiableList(Arrays.asList(cells)));
        return this;
    }

    public List<String> columns() {
        return columns;
    }

    public List<List<Object>> rows() {
        return Collections.unmodifiableList(rows);
    }

    /** Names come from clients: with control characters they could hide the rows behind them, or forge some. */
    public static Object printable(Object cell) {
        return cell instanceof String text ? text.replaceAll("\\p{Cntrl}", "?") : cell;
    }

    /** An array with an object for each row. */
    public String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            write(json);
        }
        return text.toString();
    }

    /** Writes an array with an object for each row. */
    public void write(JsonGenerator json) throws IOException {
        json.writeStartArray();
        for (List<Object> cells : rows) {
            json.writeStartObject();
            for (int i = 0; i < columns.size(); i++) {
                json.writeFieldName(columns.get(i));
                write(json, cells.get(i));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** Writes a cell, or a map or a list of cells. */
    public static void write(JsonGenerator json, Object value) throws IOException {
        if (value == null) {
            json.writeNull();
        } else if (value instanceof Listing listing) {
            listing.write(json);
        } else if (value instanceof Boolean bool) {
            json.writeBoolean(bool);
        } else if (value instanceof Double number) {
            json.writeNumber(number);
        } else if (value instanceof Number number) {
            json.writeNumber(number.longValue());
        } else if (value instanceof Iterable<?> list) {
            json.writeStartArray();
            for (Object each : list) {
                write(json, each);
            }
            json.writeEndArray();
        } else if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                json.writeFieldName(entry.getKey().toString());
                write(json, entry.getValue());
            }
            json.writeEndObject();
        } else {
            json.writeString(value.toString());
        }
    }
}
