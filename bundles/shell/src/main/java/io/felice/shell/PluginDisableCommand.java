package io.felice.shell;

import io.felice.api.plugin.PluginWork;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-disable}: stops a plugin until it is enabled. */
@Service
@Command(
        scope = "felice",
        name = "plugin-disable",
        description = "Stops a plugin until it is enabled again, also after a restart of the node.")
public final class PluginDisableCommand extends PluginAction {
    @Override
    PluginWork begin() {
        return plugins.disable(name);
    }
}
