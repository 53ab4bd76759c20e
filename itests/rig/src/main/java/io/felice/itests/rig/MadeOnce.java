package io.felice.itests.rig;

import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Directories that the first test makes and later ones use, also if the tests are in JVMs that run beside each other. */
public final class MadeOnce {
    private MadeOnce() {}

    /** Does nothing if what it makes is there already. */
    public interface Making {
        void make() throws Exception;
    }

    /** Makes what is missing in a directory. Waits while another thread or another JVM does so. */
    public static synchronized void in(Path directory, Making making) {
        Path file = directory.resolveSibling(directory.getFileName() + ".lock");
        try {
            Files.createDirectories(directory);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                assert lock.isValid();
                making.make();
            }
        } catch (Exception failure) {
            throw new AssertionError(directory + " cannot be made", failure);
        }
    }
}
