package io.felice.broker;

import io.felice.api.cluster.BrokerRegistration.LastEnd;
import io.felice.broker.partition.CheckpointFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out how the broker's run before this one has ended, from a file {@code last-run} in the data directory: the boot of
 * the machine, the process, and whether all logs were closed. A later process of the same boot finds everything that was
 * written to the page cache.
 */
final class LastRun {
    private static final Logger log = LoggerFactory.getLogger(LastRun.class);
    private static final String FILE = "last-run";
    private static final String CLOSED = "closed";
    private static final String RUNNING = "running";
    /** Linux only; elsewhere no two boots are known to be the same. */
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    /** A system property and not a static field, because an update of this bundle loads this class again. */
    private static final String PROCESS = "felice.broker.process";

    private final Path file;
    private final String boot;
    private final String process;

    private LastRun(Path file, String boot, String process) {
        this.file = file;
        this.boot = boot;
        this.process = process;
    }

    static LastRun in(Path root) {
        return new LastRun(root.resolve(FILE), boot(), process());
    }

    /** For tests. */
    static LastRun in(Path root, String boot, String process) {
        return new LastRun(root.resolve(FILE), boot, process);
    }

    private static String boot() {
        try {
            return Files.readString(BOOT_ID).trim();
        } catch (IOException unknown) {
            return "";
        }
    }

    private static synchronized String process() {
        String known = System.getProperty(PROCESS);
        if (known == null) {
            known = UUID.randomUUID().toString();
            System.setProperty(PROCESS, known);
        }
        return known;
    }

    /**
     * The whole node stops, and its storage engines with it. It may be started again in this process, with engines that have
     * nothing in memory any more.
     */
    static synchronized void nodeStops() {
        System.clearProperty(PROCESS);
    }

    /** How the last run has ended. A directory without the file is new, or of a version that wrote none. */
    LastEnd end() {
        List<String> lines;
        try {
            if (!Files.exists(file)) {
                return LastEnd.KILLED;
            }
            lines = Files.readAllLines(file);
        } catch (IOException | RuntimeException unreadable) {
            log.warn(
                    "{} cannot be read, so the last run counts as ended by a power cut: {}",
                    file,
                    unreadable.toString());
            return LastEnd.POWER_LOST;
        }
        if (lines.size() < 3) {
            return LastEnd.POWER_LOST;
        }
        boolean isClosed = lines.get(2).equals(CLOSED);
        if (isClosed) {
            return lines.get(1).equals(process) ? LastEnd.REPLACED : LastEnd.STOPPED;
        }
        return !boot.isEmpty() && lines.get(0).equals(boot) ? LastEnd.KILLED : LastEnd.POWER_LOST;
    }

    /** This run begins to change the logs. */
    void begin() {
        try {
            write(RUNNING);
        } catch (IOException failure) {
            log.warn("{} cannot be written; the end of this run will count as a kill: {}", file, failure.toString());
            forget();
        }
    }

    private void forget() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException failure) {
            log.error(
                    "{} cannot be deleted. If the machine loses its power now, the cluster does not notice it: {}",
                    file,
                    failure.toString());
        }
    }

    /** All logs are closed. */
    void closed() {
        try {
            write(CLOSED);
        } catch (IOException failure) {
            log.warn("{} cannot be written; this stop counts as a kill: {}", file, failure.toString());
        }
    }

    private void write(String state) throws IOException {
        String text = boot + "\n" + process + "\n" + state + "\n";
        CheckpointFile.replaceDurably(file, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }
}
