package io.felice.shell;

import java.io.IOException;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.osgi.service.cm.ConfigurationAdmin;

/** {@code log:set}, which replaces Karaf's command: that command does not say for how long the level applies. */
@Service
@Command(
        scope = "log",
        name = "set",
        description = "Sets the level of a logger, and says for how long the level applies.")
public final class SetLogLevelCommand implements Action {
    @Argument(name = "level", required = true, description = "OFF, ERROR, WARN, INFO, DEBUG, TRACE, ALL, or DEFAULT")
    String level;

    @Argument(
            index = 1,
            name = "logger",
            description = "A bundle or class; without it, all loggers without their own level")
    String logger = LogLevels.ROOT;

    @Reference
    ConfigurationAdmin admin;

    @Override
    public Object execute() throws IOException {
        System.out.println(new LogLevels(admin).set(level, logger));
        return null;
    }
}
