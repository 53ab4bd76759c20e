package io.felice.shell;

import io.felice.api.status.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The disk of the node's data directory. The storage engines check the disks of the topics themselves. */
final class DataDisk {
    private static final long LEAST_BYTES = 16 << 20;

    private final Path directory;
    private final long leastBytes;

    /** @param directory null if it is unknown; then there is no trouble */
    DataDisk(Path directory, long leastBytes) {
        this.directory = directory;
        this.leastBytes = leastBytes;
    }

    /** The directory that the launcher names. Without the launcher, in a stock Karaf: {@code felice} in Karaf's base. */
    static DataDisk ofThisNode() {
        String base = System.getProperty("karaf.base");
        String name = System.getProperty("felice.data", base == null ? null : base + "/felice");
        return new DataDisk(name == null ? null : Path.of(name), LEAST_BYTES);
    }

    List<Trouble> troubles() {
        long free = directory == null ? Long.MAX_VALUE : freeBytes();
        return free >= leastBytes
                ? List.of()
                : List.of(Trouble.inPart("The disk is full: " + (free >> 20) + " MB are free for " + directory
                        + ", and topics and settings may not be written"));
    }

    private long freeBytes() {
        try {
            return Files.getFileStore(directory).getUsableSpace();
        } catch (IOException gone) {
            return 0;
        }
    }
}
