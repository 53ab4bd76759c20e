package io.felice.shell;

import io.felice.api.plugin.PluginWork;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-remove}: removes a plugin. */
@Service
@Command(
        scope = "felice",
        name = "plugin-remove",
        description = "Stops a plugin and deletes its file from plugins/. Says by what it is used, if it is.")
public final class PluginRemoveCommand extends PluginAction {
    @Override
    PluginWork begin() {
        return plugins.remove(name);
    }
}
