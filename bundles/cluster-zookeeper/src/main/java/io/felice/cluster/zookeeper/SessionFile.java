package io.felice.cluster.zookeeper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores this node's ZooKeeper session in a file beside its secret, which only the owner can read.
 *
 * <ul>
 *   <li>An updated bundle in the same process continues the session, so the broker stays registered.
 *   <li>A process that follows a killed one ends the session of the killed one, instead of waiting for its time-out.
 * </ul>
 *
 * One line: {@code session/1 pid start id password place}. A session of another process that still runs is not touched,
 * nor one that was stored in another {@link SessionPlace}.
 */
final class SessionFile {
    private static final Logger log = LoggerFactory.getLogger(SessionFile.class);
    private static final ProcessHandle SELF = ProcessHandle.current();

    private final Path file;

    SessionFile(Path file) {
        this.file = file;
    }

    /** A stored session. {@code ofThisProcess} is false if the process that stored it has ended. */
    record Remembered(SessionTicket ticket, boolean ofThisProcess) {}

    /** The stored session, if this process stored it or a process that has ended. */
    Optional<Remembered> read() {
        try {
            if (!Files.exists(file)) {
                return Optional.empty();
            }
            String[] words = Files.readString(file).trim().split(" ");
            boolean isElsewhere = words.length == 6 && !words[5].equals(SessionPlace.of(file));
            if (words.length < 5 || words.length > 6 || !words[0].equals("session/1") || isElsewhere) {
                return Optional.empty();
            }
            long pid = Long.parseLong(words[1]);
            SessionTicket ticket = new SessionTicket(
                    Long.parseUnsignedLong(words[3], 16), Base64.getDecoder().decode(words[4]));
            if (pid == SELF.pid() && words[2].equals(start(SELF))) {
                return Optional.of(new Remembered(ticket, true));
            }
            boolean runs = ProcessHandle.of(pid)
                    .filter(process -> process.isAlive() && start(process).equals(words[2]))
                    .isPresent();
            return runs ? Optional.empty() : Optional.of(new Remembered(ticket, false));
        } catch (IOException | IllegalArgumentException unreadable) {
            log.warn(
                    "The ZooKeeper session stored in {} cannot be read, so it ends only by its time-out: {}",
                    file,
                    unreadable.toString());
            return Optional.empty();
        }
    }

    void write(SessionTicket ticket) {
        String line = "session/1 " + SELF.pid() + " " + start(SELF) + " " + Long.toHexString(ticket.sessionId()) + " "
                + Base64.getEncoder().encodeToString(ticket.password()) + " " + SessionPlace.of(file) + "\n";
        try {
            OwnFile.write(file, line);
        } catch (IOException failure) {
            log.warn(
                    "The ZooKeeper session cannot be stored in {}; an update of this bundle will begin a new session:"
                            + " {}",
                    file,
                    failure.toString());
        }
    }

    void delete() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException failure) {
            log.warn("The file {} with the ZooKeeper session cannot be deleted: {}", file, failure.toString());
        }
    }

    private static String start(ProcessHandle process) {
        return Long.toString(
                process.info().startInstant().map(Instant::toEpochMilli).orElse(0L));
    }
}
