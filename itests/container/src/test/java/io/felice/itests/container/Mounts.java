package io.felice.itests.container;

import java.nio.file.Path;
import java.util.List;

/**
 * Commands that run another one among file systems of its own. Nothing else on the machine sees them, and they are gone
 * with the last process that does. Root may make them, and where the kernel allows it anybody; elsewhere the command
 * fails and says why.
 */
final class Mounts {
    private static final String AS_ROOT = "unshare --mount";
    private static final String AS_ANYBODY = "unshare --mount --user --map-root-user";

    private Mounts() {}

    /** A new, empty file system of some megabytes at a directory. */
    static List<String> small(Path directory, int megabytes) {
        return after("mount -t tmpfs -o size=" + megabytes + "m felice \"$1\"", directory);
    }

    /** A directory in which nothing can be written, not even by root. */
    static List<String> readOnly(Path directory) {
        return after("mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"", directory);
    }

    /** Where a directory is for this process, as a process among other file systems sees it. */
    static Path seenBy(long pid, Path directory) {
        return Path.of("/proc", Long.toString(pid), "root").resolve(Path.of("/").relativize(directory));
    }

    private static List<String> after(String mount, Path directory) {
        String inside = " sh -c '" + mount + " && shift && exec \"$@\"' sh \"$@\"";
        String script = "if [ \"$(id -u)\" = 0 ]; then exec " + AS_ROOT + inside + "; else exec " + AS_ANYBODY + inside
                + "; fi";
        return List.of("sh", "-c", script, "sh", directory.toString());
    }
}
