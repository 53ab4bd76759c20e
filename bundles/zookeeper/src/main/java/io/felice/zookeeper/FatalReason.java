package io.felice.zookeeper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the launcher in one line why this node cannot start: it reads the file that the system property
 * {@code felice.fatal.file} names, shows the line and ends the process.
 */
final class FatalReason {

    private static final Logger log = LoggerFactory.getLogger(FatalReason.class);

    private final Path file;

    private FatalReason(Path file) {
        this.file = file;
    }

    /** Of the process this runs in; without a launcher the reason is only logged. */
    static FatalReason ofThisNode() {
        String file = System.getProperty("felice.fatal.file");
        return new FatalReason(file == null ? null : Path.of(file));
    }

    void write(String reason) {
        log.error("{}", reason);
        if (file == null) {
            return;
        }
        try {
            Path complete = file.resolveSibling(file.getFileName() + ".zookeeper");
            Files.writeString(complete, reason + "\n");
            Files.move(complete, file);
        } catch (IOException e) {
            log.error("The launcher could not be told through {}", file, e);
        }
    }
}
