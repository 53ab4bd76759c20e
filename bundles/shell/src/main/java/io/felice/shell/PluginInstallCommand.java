package io.felice.shell;

import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import java.nio.file.Path;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-install}: installs a plugin. */
@Service
@Command(scope = "felice", name = "plugin-install", description = "Checks a file, copies it to plugins/ and starts it.")
public final class PluginInstallCommand implements Action {
    @Argument(
            index = 0,
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
        audit.changed("shell", "plugin-install " + file);
        PluginWorkOutput.follow(plugins.install(Path.of(file)), System.out);
        return null;
    }
}
