package io.felice.shell;

import io.felice.api.plugin.PluginWork;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-enable}: starts a plugin that was disabled. */
@Service
@Command(
        scope = "felice",
        name = "plugin-enable",
        description = "Starts a plugin that was disabled, or tries again one that was left out.")
public final class PluginEnableCommand extends PluginAction {
    @Override
    PluginWork begin() {
        return plugins.enable(name);
    }
}
