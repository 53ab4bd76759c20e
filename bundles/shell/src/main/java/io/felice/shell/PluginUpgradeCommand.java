package io.felice.shell;

import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import java.nio.file.Path;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-upgrade}: replaces a plugin by another version. */
@Service
@Command(
        scope = "felice",
        name = "plugin-upgrade",
        description =
                "Replaces a plugin by another version; if that one does not become healthy, the old one comes back.")
public final class PluginUpgradeCommand implements Action {
    @Argument(index = 0, name = "name", required = true, description = "Its name in felice:plugin-list")
    String name;

    @Argument(
            index = 1,
            name = "file",
            required = true,
            description = "A jar or an archive of jars; an absolute path on the node's machine.")
    String file;

    @Reference
    AuditLog audit;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws Exception {
        audit.changed("shell", "plugin-upgrade " + name + " " + file);
        PluginWorkOutput.follow(plugins.upgrade(name, Path.of(file)), System.out);
        return null;
    }
}
