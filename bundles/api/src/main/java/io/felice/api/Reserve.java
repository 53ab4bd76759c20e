package io.felice.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Room that is kept aside in a directory, as the file {@value #NAME}. A start that finds the disk full deletes the file
 * and has its room. Without it a node whose disk is full could not start, and only a running node can delete records.
 *
 * <p>One thread at a time; blocks.
 */
public final class Reserve {
    public static final String NAME = "felice.reserve";

    private static final Logger log = LoggerFactory.getLogger(Reserve.class);

    /** The reserve is taken where it leaves this many times its size. */
    private static final int PLENTY = 4;

    private final Path directory;
    private final int bytes;
    private final LongSupplier freeBytes;

    /** @param bytes the size of the reserve */
    public Reserve(Path directory, int bytes) {
        this(directory, bytes, directory.toFile()::getUsableSpace);
    }

    Reserve(Path directory, int bytes, LongSupplier freeBytes) {
        this.directory = directory;
        this.bytes = bytes;
        this.freeBytes = freeBytes;
    }

    /**
     * Gives the reserve up if fewer bytes than {@code needed} are free.
     *
     * @return the bytes that are free then
     */
    public long release(long needed) throws IOException {
        long free = freeBytes.getAsLong();
        if (free >= needed || !Files.deleteIfExists(file())) {
            return free;
        }
        log.warn(
                "The disk is full: {} bytes are free for {}. The {} bytes that were kept aside for this start are used now",
                free,
                directory,
                bytes);
        return freeBytes.getAsLong();
    }

    /** Keeps room aside if none is and there is plenty. Never throws: a node runs without a reserve, too. */
    public void keep() {
        try {
            if (Files.notExists(file()) && freeBytes.getAsLong() >= (PLENTY + 1L) * bytes) {
                Files.write(file(), incompressible());
            }
        } catch (IOException failure) {
            log.warn("No room is kept aside in {} for a start on a full disk: {}", directory, failure.toString());
        }
    }

    /** Some file systems keep zeros in no room. */
    private byte[] incompressible() {
        byte[] random = new byte[bytes];
        new SplittableRandom(bytes).nextBytes(random);
        return random;
    }

    private Path file() {
        return directory.resolve(NAME);
    }
}
