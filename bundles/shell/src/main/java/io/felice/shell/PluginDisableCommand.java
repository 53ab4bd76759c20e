package io.felice.shell;

import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-disable}: stops a plugin until it is enabled. */
@Service
@Command(
        scope = "felice",
        name = "plugin-disable",
        description = "Stops a plugin until it is enabled again, also after a restart of the node.")
public final class PluginDisableCommand implements Action {
    @Argument(index = 0, name = "name", required = true, description = "Its name in felice:plugin-list")
    String name;

    @Reference
    AuditLog audit;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws Exception {
        audit.changed("shell", "plugin-disable " + name);
        PluginWorkOutput.follow(plugins.disable(name), System.out);
        return null;
    }
}
