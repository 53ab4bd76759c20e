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
 * What the node tells its launcher: where clients connect once its broker is ready, which of its parts do not serve, or
 * the one sentence why it cannot run.
 *
 * <p>The launcher names three files in system properties ({@value #READY_FILE}, {@value #HEALTH_FILE}, {@value
 * #FATAL_FILE}) and watches them. Where the properties are not set (tests, a foreign Karaf), the log is all there is. From
 * any thread.
 */
public final class Launch {
    public static final String READY_FILE = "felice.ready.file";
    public static final String HEALTH_FILE = "felice.health.file";
    public static final String FATAL_FILE = "felice.fatal.file";

    private static final Logger log = LoggerFactory.getLogger(Launch.class);

    /** A system property and no static field: a refresh of this bundle loads this class anew in the same process. */
    private static final String SERVED = "felice.served";

    private Launch() {}

    /** The broker is ready to serve. {@code facts} are lines of {@code key=value}: bootstrap, node. */
    public static void ready(List<String> facts) {
        System.setProperty(SERVED, "true");
        log.info("The broker is ready: {}", String.join(", ", facts));
        write(READY_FILE, String.join(System.lineSeparator(), facts));
    }

    /** True once this process has served clients: a failure after that is not a failed start. */
    public static boolean hasServed() {
        return Boolean.getBoolean(SERVED);
    }

    /** The broker is no longer ready, for a while or for good. Never throws. */
    public static void unready() {
        delete(READY_FILE);
    }

    /** Which parts of the node do not serve: none, if the list is empty. Never throws. */
    public static void health(List<Trouble> troubles) {
        String lines = troubles.stream()
                .map(trouble -> trouble.extent().name().toLowerCase(Locale.ROOT) + "=" + trouble.reason())
                .collect(Collectors.joining(System.lineSeparator()));
        if (!write(HEALTH_FILE, lines)) {
            unknownHealth();
        }
    }

    /** From now on nobody says which parts serve. Never throws. */
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

    /** The node cannot run; {@code sentence} says why and what to do. The launcher stops the process. */
    public static void failed(String sentence) {
        log.error("{}", sentence);
        write(FATAL_FILE, sentence);
    }

    /** @return false if it could not be written */
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
