package io.felice.shell;

import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.api.console.SessionFactory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Lets {@code bin/felice exec} run shell commands in this node, through the {@link CommandSocket} that the launcher
 * named in the system property {@code felice.command.socket}; without one there is none.
 */
@Component(
        service = {},
        immediate = true)
public final class RemoteCommands {

    private final SessionFactory sessions;
    private final CommandSocket socket;

    @Activate
    public RemoteCommands(@Reference SessionFactory sessions) {
        this.sessions = sessions;
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

    private boolean run(String line, PrintStream output) {
        Session session = sessions.create(new ByteArrayInputStream(new byte[0]), output, output);
        try {
            session.execute(line);
            return true;
        } catch (Exception e) {
            output.println(e.getMessage() == null ? e.toString() : e.getMessage());
            return false;
        } finally {
            session.close();
        }
    }
}
