package io.felice.shell;

import io.felice.api.status.StatusSource;
import java.util.List;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;

/** Completes the names of status tables. */
@Service
public final class TableNames implements Completer {
    @Reference
    List<StatusSource> sources;

    @Override
    public int complete(Session session, CommandLine line, List<String> candidates) {
        StringsCompleter names = new StringsCompleter();
        ShownTables.of(sources).forEach(table -> names.getStrings().add(table.name()));
        return names.complete(session, line, candidates);
    }
}
