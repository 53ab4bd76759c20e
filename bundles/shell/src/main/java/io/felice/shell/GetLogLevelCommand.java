package io.felice.shell;

import java.io.IOException;
import java.util.Set;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * {@code log:get}, which replaces Karaf's command: that command shows the levels of the file, not the effective ones.
 */
@Service
@Command(scope = "log", name = "get", description = "Shows the effective levels of loggers.")
public final class GetLogLevelCommand implements Action {
    @Argument(name = "logger", description = "A bundle or class; without it, all loggers with their own level")
    String logger;

    @Reference
    ConfigurationAdmin admin;

    @Override
    public Object execute() throws IOException {
        Set<String> loggers =
                logger == null || logger.equals("ALL") ? new LogLevels(admin).configured() : Set.of(logger);
        ShellTable table = new ShellTable();
        table.column("Logger");
        table.column("Level");
        loggers.forEach(name -> table.addRow().addContent(name, LogLevels.inForce(name)));
        table.print(System.out);
        return null;
    }
}
