package io.felice.shell;

import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:user-set}: makes a user, or gives it another password. */
@Service
@Command(
        scope = "felice",
        name = "user-set",
        description = "Makes a user, or gives it another password. What the user may do is said by felice:acl-add")
public final class UserSetCommand extends PasswordAction {
    @Argument(index = 0, name = "user", required = true, description = "Its name")
    String user;

    @Override
    public Object execute() throws Exception {
        change(password -> users.setPassword(user, password), "user-set " + user, "User " + user + " can log in.");
        return null;
    }
}
