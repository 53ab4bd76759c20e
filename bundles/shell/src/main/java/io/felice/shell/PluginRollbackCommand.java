package io.felice.shell;

import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-rollback}: brings the version before back. */
@Service
@Command(
        scope = "felice",
        name = "plugin-rollback",
        description = "Replaces a plugin by its version before, or brings back one that was removed.")
public final class PluginRollbackCommand implements Action {
    @Argument(index = 0, name = "name", required = true, description = "Its name in felice:plugin-list")
    String name;

    @Reference
    AuditLog audit;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws Exception {
        audit.changed("shell", "plugin-rollback " + name);
        PluginWorkOutput.follow(plugins.rollback(name), System.out);
        return null;
    }
}
