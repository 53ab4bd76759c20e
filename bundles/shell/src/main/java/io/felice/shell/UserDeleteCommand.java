package io.felice.shell;

import io.felice.api.security.AuditLog;
import io.felice.api.security.Users;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:user-delete}: removes a user. */
@Service
@Command(
        scope = "felice",
        name = "user-delete",
        description =
                "Removes a user: it cannot log in any more. Connections that are open stay open until their session"
                        + " ends, and its ACLs stay: felice:acl-remove User:NAME takes its rights away at once.")
public final class UserDeleteCommand implements Action {
    @Argument(index = 0, name = "user", required = true, description = "Its name")
    String user;

    @Reference
    AuditLog audit;

    @Reference
    Users users;

    @Override
    public Object execute() throws Exception {
        ClusterChange.get(users.delete(user));
        audit.changed("shell", "user-delete " + user);
        System.out.println("User " + user + " cannot log in any more.");
        return null;
    }
}
