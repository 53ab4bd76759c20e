package io.felice.shell;

import io.felice.api.plugin.PluginWork;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-rollback}: brings the version before back. */
@Service
@Command(
        scope = "felice",
        name = "plugin-rollback",
        description = "Replaces a plugin by its version before, or brings back one that was removed.")
public final class PluginRollbackCommand extends PluginAction {
    @Override
    PluginWork begin() {
        return plugins.rollback(name);
    }
}
