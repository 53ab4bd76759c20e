package io.felice.cluster.zookeeper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * Where a session is stored: this directory, in this boot of this machine. A copy of the directory is another place, so
 * that a process on the copy does not end the session of the process that it was copied from.
 */
final class SessionPlace {
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

    private SessionPlace() {}

    /** One word; "unknown" where the operating system does not tell. */
    static String of(Path file) {
        try {
            String boot = Files.exists(BOOT) ? Files.readString(BOOT).trim() : "";
            Object directory = Files.readAttributes(file.toAbsolutePath().getParent(), BasicFileAttributes.class)
                    .fileKey();
            return directory == null ? "unknown" : (boot + directory).replaceAll("\\s", "");
        } catch (IOException unreadable) {
            return "unknown";
        }
    }
}
