package io.felice.shell;

import io.felice.api.FeliceException;
import io.felice.api.plugin.NodeUpdate;
import io.felice.api.plugin.NodeUpdate.Candidate;
import io.felice.api.security.AuditLog;
import io.felice.shell.text.Listing;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:update}: replaces bundles of Felice while the node runs. */
@Service
@Command(
        scope = "felice",
        name = "update",
        description =
                "Replaces bundles of Felice while the node runs, one after the other. Clients notice a pause for each,"
                        + " and connect again after that of io.felice.network.")
public final class UpdateCommand implements Action {
    @Option(
            name = "--from",
            description =
                    "The directory of another distribution of Felice on the node's machine. Without it, the bundles are"
                            + " read again from where they were installed.")
    String from;

    @Option(name = "--list", description = "Only shows what can be replaced, in the order of an update.")
    boolean list;

    @Option(name = "--all", description = "Replaces all that can be replaced.")
    boolean all;

    @Option(name = "--json", description = "Prints the list as JSON.")
    boolean json;

    @Argument(
            name = "bundles",
            multiValued = true,
            description = "Their names, for example io.felice.broker; without names and with --from, all that differ.")
    List<String> bundles;

    @Reference
    NodeUpdate updates;

    @Reference
    AuditLog audit;

    @Override
    public Object execute() throws Exception {
        Optional<Path> home = Optional.ofNullable(from).map(Path::of);
        if (list) {
            print(updates.candidates(home));
            return null;
        }
        List<String> wanted = all
                ? updates.candidates(home).stream().map(Candidate::bundle).toList()
                : bundles == null ? List.of() : bundles;
        if (wanted.isEmpty() && home.isEmpty()) {
            throw new IllegalArgumentException(
                    "Say which bundles (felice:update --list shows them), or --all, or --from DIRECTORY.");
        }
        audit.changed(
                "shell",
                "update " + String.join(" ", wanted)
                        + home.map(path -> " --from " + path).orElse(""));
        PrintStream output = System.out;
        try {
            String sentence = updates.update(home, wanted, output::println)
                    .toCompletableFuture()
                    .get();
            output.println(sentence + ".");
        } catch (InterruptedException replaced) {
            output.println(
                    "io.felice.shell is being replaced, so this command ends. The update goes on; the log has its end.");
        } catch (ExecutionException failure) {
            throw FeliceException.unwrap(failure) instanceof FeliceException expected ? expected : failure;
        }
        return null;
    }

    private void print(List<Candidate> candidates) throws Exception {
        Listing listing = new Listing("bundle", "runs", "offered", "differs");
        candidates.forEach(each -> listing.row(each.bundle(), each.running(), each.offered(), each.differs()));
        KarafTable.print(listing, System.out, json, "(no bundles)");
    }
}
