package io.felice.storage.log;

import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Files that are never flushed: only a power cut would tell, and tests without one are much faster. */
final class UnforcedFiles extends DiskFiles {
    @Override
    void force(FileChannel channel) {
        // Nothing is lost while the machine runs.
    }

    @Override
    void syncDirectory(Path directory) {
        // Nothing is lost while the machine runs.
    }
}
