package io.felice.api;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the launcher that the node is ready, that it is no longer ready, or in one sentence why it cannot run.
 *
 * <p>The launcher names two files in system properties ({@value #READY_FILE}, {@value #FATAL_FILE}) and watches them;
 * without them (tests, a foreign Karaf) the same goes to the log only. From any thread.
 */
public final class Launch {
    public static final String READY_FILE = "felice.ready.file";
    public static final String FATAL_FILE = "felice.fatal.file";

    private static final Logger log = LoggerFactory.getLogger(Launch.class);

    /** A system property and no static field: a refresh of this bundle loads this class anew in the same process. */
    private static final String SERVED = "felice.served";

    private Launch() {}

    /** The node serves clients. {@code facts} are lines of {@code key=value}: bootstrap, data, node. */
    public static void ready(List<String> facts) {
        System.setProperty(SERVED, "true");
        log.info("Ready: {}", String.join(", ", facts));
        write(READY_FILE, String.join(System.lineSeparator(), facts));
    }

    /** True once this process has served clients: a failure after that is not a failed start. */
    public static boolean hasServed() {
        return Boolean.getBoolean(SERVED);
    }

    /** The node no longer serves clients, for a while or for good. Never throws. */
    public static void unready() {
        String name = System.getProperty(READY_FILE);
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

    private static void write(String property, String text) {
        String name = System.getProperty(property);
        if (name == null) {
            return;
        }
        Path file = Path.of(name);
        Path draft = file.resolveSibling(file.getFileName() + ".draft");
        try {
            Files.writeString(draft, text + System.lineSeparator());
            move(draft, file);
        } catch (IOException failure) {
            log.error("Cannot write {}: {}", file, failure.toString());
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
