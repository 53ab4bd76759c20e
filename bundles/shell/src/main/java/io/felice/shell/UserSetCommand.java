package io.felice.shell;

import io.felice.api.security.Users;
import java.nio.charset.StandardCharsets;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;

/** {@code felice:user-set}: makes a user, or gives it another password. */
@Service
@Command(
        scope = "felice",
        name = "user-set",
        description = "Makes a user, or gives it another password. What the user may do is said by felice:acl-add")
public final class UserSetCommand implements Action {
    @Argument(index = 0, name = "user", required = true, description = "Its name")
    String user;

    @Option(
            name = "--password-file",
            description =
                    "A file on the node's machine with the password. Without it, a terminal asks for the password,"
                            + " and felice exec makes a random one.")
    String passwordFile;

    @Option(name = "--random", description = "Makes a random password and shows it once.")
    boolean random;

    @Reference
    Users users;

    @Reference
    Session session;

    @Override
    public Object execute() throws Exception {
        Passwords.Password password = Passwords.read(passwordFile, random, session);
        String shown = new String(password.text(), StandardCharsets.UTF_8);
        ClusterChange.get(users.setPassword(user, password.text()));
        System.out.println(("User " + user + " can log in. " + password.sentence(shown)).trim());
        return null;
    }
}
