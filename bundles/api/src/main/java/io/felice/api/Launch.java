package io.felice.api;

import io.felice.api.status.Trouble;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the files that the launcher of this process reads: the addresses for clients once the broker is ready, the
 * parts of the node that do not serve, the address of the console, and the reason why the node cannot run.
 *
 * <p>The launcher names the files in system properties ({@value #READY_FILE}, {@value #HEALTH_FILE}, {@value
 * #CONSOLE_FILE}, {@value #FATAL_FILE}) and watches them. Without a property its file is not written, and the log alone has the text; this is
 * so in tests and in a Karaf that was started without the launcher. Any thread may call the methods; they write files.
 * A file that cannot be written is logged, and the method returns.
 */
public final class Launch {
    public static final String READY_FILE = "felice.ready.file";
    public static final String HEALTH_FILE = "felice.health.file";
    public static final String FATAL_FILE = "felice.fatal.file";
    public static final String CONSOLE_FILE = "felice.console.file";

    private static final Logger log = LoggerFactory.getLogger(Launch.class);

    /** A system property and not a static field, because a refresh of this bundle loads this class again. */
    private static final String SERVED = "felice.served";

    private Launch() {}

    /**
     * Writes that the broker is ready to serve.
     *
     * @param facts lines of {@code key=value} with the keys {@code bootstrap} and {@code node}
     */
    public static void ready(List<String> facts) {
        System.setProperty(SERVED, "true");
        log.info("The broker is ready: {}", String.join(", ", facts));
        write(READY_FILE, String.join(System.lineSeparator(), facts));
    }

    /** True after the first {@link #ready} of this process. A later failure is not a failed start. */
    public static boolean hasServed() {
        return Boolean.getBoolean(SERVED);
    }

    /** Deletes the ready file, because the broker no longer serves. */
    public static void unready() {
        delete(READY_FILE);
    }

    /** Writes which parts of the node do not serve. An empty list means that the whole node serves. */
    public static void health(List<Trouble> troubles) {
        String lines = troubles.stream()
                .map(trouble -> trouble.extent().name().toLowerCase(Locale.ROOT) + "=" + trouble.reason())
                .collect(Collectors.joining(System.lineSeparator()));
        if (!write(HEALTH_FILE, lines)) {
            unknownHealth();
        }
    }

    /** Deletes the health file, because from now on nobody reports which parts serve. */
    public static void unknownHealth() {
        delete(HEALTH_FILE);
    }

    private static void delete(String property) {
        String name = System.getProperty(property);
        if (name == null) {
            return;
        }
        try {
            Files.deleteIfExists(Path.of(name));
        } catch (IOException failure) {
            log.warn("Cannot delete {}: {}", name, failure.toString());
        }
    }

    /**
     * Writes the address of the console.
     *
     * @param url null if there is none
     */
    public static void console(String url) {
        if (url == null) {
            delete(CONSOLE_FILE);
        } else {
            write(CONSOLE_FILE, "console=" + url);
        }
    }

    /**
     * Writes why the node cannot run. The launcher then stops the process.
     *
     * @param sentence the reason and what the operator can do
     */
    public static void failed(String sentence) {
        log.error("{}", sentence);
        write(FATAL_FILE, sentence);
    }

    /** @return false if the file could not be written */
    private static boolean write(String property, String text) {
        String name = System.getProperty(property);
        if (name == null) {
            return true;
        }
        Path file = Path.of(name);
        Path draft = file.resolveSibling(file.getFileName() + ".draft");
        try {
            Files.writeString(draft, text + System.lineSeparator());
            move(draft, file);
            return true;
        } catch (IOException failure) {
            log.error("Cannot write {}: {}", file, failure.toString());
            return false;
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException plainMoveWillDo) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
