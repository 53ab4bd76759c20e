package io.felice.shell;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugins;
import io.felice.api.plugin.ProvidedExtension;
import java.io.IOException;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-list}: shows the plugins, and why files were left out. */
@Service
@Command(scope = "felice", name = "plugin-list", description = "Shows the plugins, and the files that were left out.")
public final class PluginListCommand implements Action {
    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws IOException {
        Listing listing = new Listing("plugin", "version", "state", "provides", "file", "signature", "rollback");
        for (Plugin plugin : plugins.list()) {
            listing.row(
                    plugin.name(),
                    plugin.version(),
                    plugin.sentence(),
                    plugin.provides().stream().map(ProvidedExtension::toString).collect(Collectors.joining(", ")),
                    plugin.file(),
                    plugin.signer(),
                    String.join(", ", plugin.kept()));
        }
        listing.print(System.out, json, "(no plugins)");
        return null;
    }
}
