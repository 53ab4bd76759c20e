package io.felice.shell;

import io.felice.shell.text.Listing;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import org.apache.karaf.shell.support.table.Row;
import org.apache.karaf.shell.support.table.ShellTable;

/** Prints rows as all tables of Karaf's shell look, or as JSON. */
final class KarafTable {
    private KarafTable() {}

    static void print(Listing listing, PrintStream to, boolean asJson, String whenEmpty) throws IOException {
        if (asJson) {
            to.println(listing.json());
        } else {
            table(listing, whenEmpty).print(to);
        }
    }

    private static ShellTable table(Listing listing, String whenEmpty) {
        ShellTable table = new ShellTable().emptyTableText(whenEmpty);
        listing.columns().forEach(table::column);
        for (List<Object> cells : listing.rows()) {
            Row row = table.addRow();
            cells.forEach(cell -> row.addContent(Listing.printable(cell)));
        }
        return table;
    }
}
