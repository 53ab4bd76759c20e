package io.felice.shell;

import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-enable}: starts a plugin that was disabled. */
@Service
@Command(
        scope = "felice",
        name = "plugin-enable",
        description = "Starts a plugin that was disabled, or tries again one that was left out.")
public final class PluginEnableCommand implements Action {
    @Argument(index = 0, name = "name", required = true, description = "Its name in felice:plugin-list")
    String name;

    @Reference
    AuditLog audit;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws Exception {
        audit.changed("shell", "plugin-enable " + name);
        PluginWorkOutput.follow(plugins.enable(name), System.out);
        return null;
    }
}
