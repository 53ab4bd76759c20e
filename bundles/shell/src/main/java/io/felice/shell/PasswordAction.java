package io.felice.shell;

import io.felice.api.security.AuditLog;
import io.felice.api.security.Users;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.console.Session;

/** A command that gives a user a password. */
abstract class PasswordAction implements Action {
    @Option(
            name = "--password-file",
            description =
                    "A file on the node's machine with the password. Without it, a terminal asks for the password,"
                            + " and felice exec makes a random one.")
    String passwordFile;

    @Option(name = "--random", description = "Makes a random password and shows it once.")
    boolean random;

    @Reference
    AuditLog audit;

    @Reference
    Users users;

    @Reference
    Session session;

    /** A change that needs a password. */
    interface Change {
        CompletionStage<Void> with(byte[] password);
    }

    /**
     * Makes the change with the password that was asked for, and says what is so then.
     *
     * @param audited the change for the audit log, without the password
     */
    void change(Change change, String audited, String then) throws Exception {
        Passwords.Password password = Passwords.read(passwordFile, random, session);
        String shown = new String(password.text(), StandardCharsets.UTF_8);
        ClusterChange.get(change.with(password.text()));
        audit.changed("shell", audited);
        System.out.println((then + " " + password.sentence(shown)).trim());
    }
}
