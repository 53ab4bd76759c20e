package io.felice.zookeeper;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The room that a server has for its files. A file of {@value #RESERVE_BYTES} bytes is kept aside, and deleted when a
 * server starts on a full disk: then topics can still be deleted, which makes room.
 *
 * <p>One thread at a time.
 */
final class Room {
    private static final Logger log = LoggerFactory.getLogger(Room.class);
    private static final String RESERVE = "felice.reserve";
    static final int RESERVE_BYTES = 2 << 20;

    /** The least with which a server starts: some blocks of a transaction log. It can do without a snapshot. */
    static final long NEEDED_BYTES = 64 << 10;

    /** A reserve is taken where it leaves several times its size. */
    private static final long PLENTY_BYTES = 4L * RESERVE_BYTES;

    private final Path directory;
    private final LongSupplier freeBytes;

    Room(Path directory, LongSupplier freeBytes) {
        this.directory = directory;
        this.freeBytes = freeBytes;
    }

    static Room in(Path directory) {
        return new Room(directory, directory.toFile()::getUsableSpace);
    }

    /**
     * Uses the reserve if it must.
     *
     * @throws IOException if there is too little room for a server; the message is a sentence for the operator
     */
    void require() throws IOException {
        if (freeBytes.getAsLong() < NEEDED_BYTES && Files.deleteIfExists(reserve())) {
            log.warn(
                    "The disk of {} is full: ZooKeeper goes on with {} bytes that it had kept aside for that",
                    directory,
                    RESERVE_BYTES);
        }
        long free = freeBytes.getAsLong();
        if (free < NEEDED_BYTES) {
            throw new IOException("The disk is full: " + free + " bytes are free for " + directory
                    + ", and ZooKeeper needs " + NEEDED_BYTES + " bytes there to start");
        }
    }

    /** Takes the reserve if there is plenty of room and none is taken. */
    void keepReserve() throws IOException {
        if (Files.exists(reserve()) || freeBytes.getAsLong() < PLENTY_BYTES) {
            return;
        }
        try (OutputStream out = Files.newOutputStream(reserve())) {
            out.write(incompressible());
        } catch (IOException failure) {
            Files.deleteIfExists(reserve());
            throw failure;
        }
    }

    /** Some file systems store zeros in no room. */
    private static byte[] incompressible() {
        byte[] bytes = new byte[RESERVE_BYTES];
        new Random(RESERVE_BYTES).nextBytes(bytes);
        return bytes;
    }

    private Path reserve() {
        return directory.resolve(RESERVE);
    }
}
