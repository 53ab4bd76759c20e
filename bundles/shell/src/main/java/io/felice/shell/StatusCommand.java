package io.felice.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import io.felice.api.status.Histogram;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn;
import io.felice.api.status.TableColumn.Kind;
import io.felice.shell.text.Listing;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:status}: shows the status tables of the bundles. */
@Service
@Command(scope = "felice", name = "status", description = "Shows the status tables of the node.")
public final class StatusCommand implements Action {
    @Option(name = "--columns", description = "Shows what the tables and their columns mean, instead of the values")
    boolean columns;

    @Option(name = "--json", description = "Prints the tables, with what their columns mean, as JSON")
    boolean json;

    @Argument(
            name = "tables",
            description =
                    "Shows only tables whose name begins with one of these words, for example network or broker.recovery",
            multiValued = true)
    @Completion(TableNames.class)
    List<String> prefixes;

    @Reference
    List<StatusSource> sources;

    @Override
    public Object execute() throws IOException {
        List<StatusTable> tables = selected(ShownTables.of(sources))
                .sorted(Comparator.comparing(StatusTable::name))
                .toList();
        if (tables.isEmpty()) {
            throw new IllegalArgumentException(
                    prefixes == null ? "No bundle shows a table." : "No bundle shows a table named " + prefixes + ".");
        }
        if (json) {
            System.out.println(json(tables));
            return null;
        }
        for (StatusTable table : tables) {
            System.out.println(columns ? table.name() + ": " + table.schema().description() : table.name());
            KarafTable.print(columns ? meanings(table) : values(table), System.out, false, "(nothing)");
            System.out.println();
        }
        return null;
    }

    private Stream<StatusTable> selected(Stream<StatusTable> all) {
        return prefixes == null ? all : all.filter(table -> prefixes.stream().anyMatch(table.name()::startsWith));
    }

    /** A row for each row of the table; for a table without labels, a row for each of its columns. */
    private static Listing values(StatusTable table) {
        List<TableColumn> columns = table.schema().columns();
        if (table.schema().hasLabels()) {
            Listing listing =
                    new Listing(columns.stream().map(TableColumn::name).toArray(String[]::new));
            table.rows().forEach(row -> listing.row(row.toArray()));
            return listing;
        }
        Listing listing = new Listing("what", StatusTable.VALUE, "meaning");
        for (int i = 0; i < columns.size(); i++) {
            listing.row(
                    columns.get(i).name(),
                    table.rows().get(0).get(i),
                    columns.get(i).description());
        }
        return listing;
    }

    private static Listing meanings(StatusTable table) {
        Listing listing = new Listing("column", "kind", "unit", "meaning");
        table.schema()
                .columns()
                .forEach(column -> listing.row(
                        column.name(), lower(column.kind()), column.unit().word(), column.description()));
        return listing;
    }

    private static String lower(Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    static String json(List<StatusTable> tables) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator to = new JsonFactory().createGenerator(text)) {
            to.setPrettyPrinter(new DefaultPrettyPrinter());
            to.writeStartArray();
            for (StatusTable table : tables) {
                write(to, table);
            }
            to.writeEndArray();
        }
        return text.toString();
    }

    private static void write(JsonGenerator to, StatusTable table) throws IOException {
        to.writeStartObject();
        to.writeStringField("table", table.name());
        to.writeStringField("description", table.schema().description());
        to.writeArrayFieldStart("columns");
        for (TableColumn column : table.schema().columns()) {
            to.writeStartObject();
            to.writeStringField("name", column.name());
            to.writeStringField("kind", lower(column.kind()));
            to.writeStringField("unit", column.unit().word());
            to.writeStringField("description", column.description());
            if (column.kind() != Kind.LABEL && column.kind() != Kind.TEXT) {
                to.writeStringField("metric", table.schema().metric(column));
            }
            to.writeEndObject();
        }
        to.writeEndArray();
        to.writeArrayFieldStart("rows");
        for (List<Object> row : table.rows()) {
            to.writeStartArray();
            for (Object cell : row) {
                write(to, cell);
            }
            to.writeEndArray();
        }
        to.writeEndArray();
        to.writeEndObject();
    }

    private static void write(JsonGenerator to, Object cell) throws IOException {
        if (cell instanceof Histogram histogram) {
            to.writeStartObject();
            to.writeFieldName("bounds");
            to.writeArray(
                    histogram.bounds().stream().mapToDouble(Double::doubleValue).toArray(),
                    0,
                    histogram.bounds().size());
            to.writeFieldName("counts");
            to.writeArray(
                    histogram.counts().stream().mapToLong(Long::longValue).toArray(),
                    0,
                    histogram.counts().size());
            to.writeNumberField("sum", histogram.sum());
            to.writeEndObject();
        } else if (cell instanceof Boolean bool) {
            to.writeBoolean(bool);
        } else if (cell instanceof Double number) {
            to.writeNumber(number);
        } else if (cell instanceof Long number) {
            to.writeNumber(number);
        } else {
            to.writeString(cell.toString());
        }
    }
}
