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

/** {@code felice:user-setup}: makes the first administrator. */
@Service
@Command(
        scope = "felice",
        name = "user-setup",
        description =
                "Makes the first administrator, who may do everything. The node has logged the code at its start.")
public final class UserSetupCommand implements Action {
    @Argument(index = 0, name = "code", required = true, description = "The one-time code")
    String code;

    @Argument(index = 1, name = "user", required = true, description = "The administrator's name")
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
        if (!users.hasSetupCode()) {
            throw new IllegalArgumentException("There is no code: it is for a cluster with authorizer = acl that has no"
                    + " user and no ACL yet. See felice:user-list and felice:acl-list.");
        }
        Passwords.Password password = Passwords.read(passwordFile, random, session);
        String shown = new String(password.text(), StandardCharsets.UTF_8);
        ClusterChange.get(users.redeem(code, user, password.text()));
        System.out.println(("User " + user + " can log in and may do everything. " + password.sentence(shown)).trim());
        return null;
    }
}
