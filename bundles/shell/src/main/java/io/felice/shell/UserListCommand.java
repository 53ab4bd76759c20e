package io.felice.shell;

import io.felice.api.security.ScramMechanism;
import io.felice.api.security.Users;
import io.felice.shell.text.Listing;
import java.io.IOException;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:user-list}: shows the users. */
@Service
@Command(scope = "felice", name = "user-list", description = "Shows the users of the cluster.")
public final class UserListCommand implements Action {
    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Reference
    Users users;

    @Override
    public Object execute() throws IOException {
        Listing listing = new Listing("user", "mechanisms");
        users.list()
                .forEach(user -> listing.row(
                        user.name(),
                        user.iterations().keySet().stream()
                                .sorted()
                                .map(ScramMechanism::mechanism)
                                .collect(Collectors.joining(", "))));
        KarafTable.print(listing, System.out, json, "(no users)");
        return null;
    }
}
