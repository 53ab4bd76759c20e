package io.felice.api.storage;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The volume on which an engine keeps its logs, as Kafka's tools show it (DescribeLogDirs, KIP-827).
 *
 * @param logDir the engine and its directory, for example {@code log:/var/lib/felice/log}; {@code memory:} for an
 *     engine without a directory
 * @param totalBytes the size of the volume; -1 if the volume has no fixed size
 * @param usableBytes the free space on the volume; -1 if the volume has no limit. The broker reads the free space after
 *     a failed append. If the free space is nearly used up or is less than the size of the batch, the broker treats the
 *     failure as a lack of space and not as a failed device: it opens the engine's logs again, goes on to read and trim
 *     them, and appends again when there is space
 */
public record Volume(String logDir, long totalBytes, long usableBytes) {
    /**
     * The volume of an engine's directory, which need not be there yet. Asks the file system, so it may block. A size that
     * the file system does not tell is -1.
     *
     * @param engine the name of the engine
     */
    public static Volume of(String engine, Path directory) {
        String logDir = engine + ":" + directory;
        Path there = directory.toAbsolutePath();
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }
        try {
            FileStore store = Files.getFileStore(there);
            return new Volume(logDir, store.getTotalSpace(), store.getUsableSpace());
        } catch (IOException unknown) {
            return new Volume(logDir, -1, -1);
        }
    }
}
