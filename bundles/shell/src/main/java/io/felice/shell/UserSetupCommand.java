package io.felice.shell;

import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:user-setup}: makes the first administrator. */
@Service
@Command(
        scope = "felice",
        name = "user-setup",
        description =
                "Makes the first administrator, who may do everything. The node has logged the code at its start.")
public final class UserSetupCommand extends PasswordAction {
    @Argument(index = 0, name = "code", required = true, description = "The one-time code")
    String code;

    @Argument(index = 1, name = "user", required = true, description = "The administrator's name")
    String user;

    @Override
    public Object execute() throws Exception {
        if (!users.hasSetupCode()) {
            throw new IllegalArgumentException("There is no code: it is for a cluster that has no"
                    + " user and no ACL yet. See felice:user-list and felice:acl-list.");
        }
        change(
                password -> users.redeem(code, user, password),
                "user-setup " + user,
                "User " + user + " can log in and may do everything.");
        return null;
    }
}
