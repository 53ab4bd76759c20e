package io.felice.shell;

import io.felice.api.status.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The disk that the node's data directory is on. Topics may be elsewhere: of them their storage engine speaks. */
final class DataDisk {
    private static final long LEAST_BYTES = 16 << 20;

    private final Path directory;
    private final long leastBytes;

    /** @param directory null if it is not known */
    DataDisk(Path directory, long leastBytes) {
        this.directory = directory;
        this.leastBytes = leastBytes;
    }

    /** The directory that the files in etc stand for: the launcher's, and in another Karaf the one beside its data. */
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
