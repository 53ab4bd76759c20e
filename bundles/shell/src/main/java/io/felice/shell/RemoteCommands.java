package io.felice.shell;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.Principal;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.security.auth.Subject;
import org.apache.karaf.bundle.core.BundleService;
import org.apache.karaf.jaas.boot.principal.RolePrincipal;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.api.console.SessionFactory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Lets {@code bin/felice exec} run shell commands in this node, through a {@link CommandSocket}. The launcher sets its
 * path in the system property {@code felice.command.socket}. Without the property there is no socket.
 */
@Component(service = StatusSource.class, immediate = true)
public final class RemoteCommands implements StatusSource {
    private static final TableSchema STATUS = TableSchema.limits("shell.commands");

    /** Karaf's shell allows commands by role. A client that may open the socket has all roles. */
    private static final Subject OWNER = new Subject(true, roles(), Set.of(), Set.of());

    private final SessionFactory sessions;
    private final BundleArguments bundles;
    private final CommandSocket socket;

    @Activate
    public RemoteCommands(@Reference SessionFactory sessions, @Reference BundleService installed) {
        this.sessions = sessions;
        this.bundles = new BundleArguments(
                word -> !installed.selectBundles(List.of(word), false).isEmpty());
        String file = System.getProperty("felice.command.socket");
        this.socket = file == null ? null : new CommandSocket(Path.of(file), this::run);
        if (socket != null) {
            socket.start();
        }
    }

    @Deactivate
    void deactivate() {
        if (socket != null) {
            socket.close();
        }
    }

    @Override
    public List<StatusTable> tables() {
        long running = socket == null ? 0 : socket.running();
        return List.of(STATUS.rows(List.of(TableSchema.limit("commands", running, CommandSocket.MOST_COMMANDS))));
    }

    /** The output has no colours, because programs read it. */
    private boolean run(String line, PrintStream output) {
        PrintStream plain = new PrintStream(new PlainOutput(output), false, UTF_8);
        try {
            return runPlainly(line, plain);
        } finally {
            plain.flush();
        }
    }

    private boolean runPlainly(String line, PrintStream output) {
        Optional<String> unknown = bundles.unknown(line);
        if (unknown.isPresent()) {
            output.println("There is no bundle " + unknown.get() + ". Nothing was done.");
            return false;
        }
        Session session = sessions.create(new ByteArrayInputStream(new byte[0]), output, output);
        try {
            Subject.doAs(OWNER, (PrivilegedExceptionAction<Object>) () -> session.execute(line));
            return true;
        } catch (PrivilegedActionException e) {
            return failed(e.getException(), output);
        } catch (RuntimeException e) {
            return failed(e, output);
        } finally {
            session.close();
        }
    }

    private static boolean failed(Exception reason, PrintStream output) {
        output.println(reason.getMessage() == null ? reason.toString() : reason.getMessage());
        return false;
    }

    private static Set<Principal> roles() {
        return Stream.of("admin", "manager", "viewer", "systembundles")
                .map(RolePrincipal::new)
                .collect(Collectors.toUnmodifiableSet());
    }
}
