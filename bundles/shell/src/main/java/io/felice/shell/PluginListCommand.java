package io.felice.shell;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugins;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.shell.text.Listing;
import java.io.IOException;
import java.util.List;
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
        List<Plugin> all = plugins.list();
        Listing listing = new Listing("plugin", "version", "state", "provides", "file", "signature", "rollback");
        for (Plugin plugin : all) {
            listing.row(
                    plugin.name(),
                    plugin.version(),
                    json ? plugin.sentence() : brief(plugin),
                    plugin.provides().stream().map(ProvidedExtension::toString).collect(Collectors.joining(", ")),
                    plugin.file(),
                    plugin.signer(),
                    String.join(", ", plugin.kept()));
        }
        KarafTable.print(listing, System.out, json, "(no plugins)");
        if (!json) {
            all.forEach(PluginListCommand::explain);
        }
        return null;
    }

    /** Reasons are long, so the table has the first words only. */
    private static String brief(Plugin plugin) {
        return plugin.sentence().replaceFirst("(:| \\().*", "");
    }

    private static void explain(Plugin plugin) {
        if (!brief(plugin).equals(plugin.sentence())) {
            String is = plugin.state() == Plugin.State.LEFT_OUT ? " is " : " ";
            String file =
                    plugin.file().isEmpty() || plugin.file().equals(plugin.name()) ? "" : " (" + plugin.file() + ")";
            System.out.println();
            System.out.println(Listing.printable(plugin.name() + file + is + plugin.sentence()));
        }
    }
}
