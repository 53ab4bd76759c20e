package io.felice.shell;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.Row;
import org.apache.karaf.shell.support.table.ShellTable;

/** {@code felice:status}: shows the status tables of the bundles. */
@Service
@Command(scope = "felice", name = "status", description = "Shows the status tables of the node.")
public final class StatusCommand implements Action {
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
    public Object execute() {
        List<StatusTable> tables = selected(
                        sources.stream().filter(Objects::nonNull).flatMap(source -> source.tables().stream()))
                .sorted(Comparator.comparing(StatusTable::name))
                .toList();
        if (tables.isEmpty()) {
            throw new IllegalArgumentException(
                    prefixes == null ? "No bundle shows a table." : "No bundle shows a table named " + prefixes + ".");
        }
        tables.forEach(StatusCommand::print);
        return null;
    }

    private Stream<StatusTable> selected(Stream<StatusTable> all) {
        return prefixes == null ? all : all.filter(table -> prefixes.stream().anyMatch(table.name()::startsWith));
    }

    private static void print(StatusTable table) {
        System.out.println(table.name());
        ShellTable shown = new ShellTable().emptyTableText("(nothing)");
        table.columns().forEach(shown::column);
        for (List<Object> cells : table.rows()) {
            Row row = shown.addRow();
            cells.forEach(cell -> row.addContent(Listing.printable(cell)));
        }
        shown.print(System.out);
        System.out.println();
    }
}
