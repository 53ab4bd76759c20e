package io.felice.shell;

import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginCheck.Finding;
import io.felice.api.plugin.Plugins;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.shell.text.Listing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:plugin-check}: says whether a file fits this node. Fails if it does not. */
@Service
@Command(scope = "felice", name = "plugin-check", description = "Says what a file is and whether it fits this node.")
public final class PluginCheckCommand implements Action {
    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Argument(
            index = 0,
            name = "file",
            required = true,
            description = "A jar or an archive of jars; an absolute path on the node's machine.")
    String file;

    @Reference
    Plugins plugins;

    @Override
    public Object execute() throws IOException {
        PluginCheck check = plugins.check(Path.of(file));
        Listing listing = new Listing("what", "says", "raw");
        listing.row("plugin", check.name() + " " + check.version(), "");
        listing.row("provides", joined(check.provides()), "");
        check.configurations().forEach(pid -> listing.row("configuration", pid, ""));
        if (!check.signer().isEmpty()) {
            listing.row("signature", check.signer(), "");
        }
        for (Finding finding : check.findings()) {
            listing.row(finding.refuses() ? "left out" : "note", finding.sentence(), finding.raw());
        }
        listing.row("verdict", check.fits() ? "fits this node" : "does not fit this node", "");
        KarafTable.print(listing, System.out, json, "");
        if (!check.fits()) {
            throw new IllegalArgumentException(file + " does not fit this node.");
        }
        return null;
    }

    private static String joined(List<ProvidedExtension> extensions) {
        return extensions.stream().map(ProvidedExtension::toString).collect(Collectors.joining(", "));
    }
}
