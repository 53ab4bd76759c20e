package io.felice.shell;

import io.felice.api.plugin.PluginWork;
import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;

/** A command that changes the plugin of a name. */
abstract class PluginAction implements Action {
    @Argument(index = 0, name = "name", required = true, description = "Its name in felice:plugin-list")
    String name;

    @Reference
    AuditLog audit;

    @Reference
    Plugins plugins;

    /** Begins the change. */
    abstract PluginWork begin();

    @Override
    public final Object execute() throws Exception {
        audit.changed("shell", getClass().getAnnotation(Command.class).name() + " " + name);
        PluginWorkOutput.follow(begin(), System.out);
        return null;
    }
}
