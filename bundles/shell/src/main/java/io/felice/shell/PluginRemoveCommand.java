package io.felice.shell;

import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-remove}: removes a plugin. */
@Service
@Command(
        scope = "felice",
        name = "plugin-remove",
        description = "Stops a plugin and deletes its file from plugins/. Says by what it is used, if it is.")
public final class PluginRemoveCommand implements Action {
    @Argument(index = 0, name = "name", required = true, description = "Its name in felice:plugin-list")
    String name;

    @Reference
    AuditLog audit;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws Exception {
        audit.changed("shell", "plugin-remove " + name);
        PluginWorkOutput.follow(plugins.remove(name), System.out);
        return null;
    }
}
