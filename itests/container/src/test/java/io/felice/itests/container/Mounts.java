package io.felice.itests.container;

import java.nio.file.Path;
import java.util.List;

/**
 * Commands that run another command in its own mount namespace, with additional mounts. Other processes do not see the
 * mounts, and the kernel removes them after the last process in the namespace. Root may create the namespace; other
 * users may do so only if the kernel allows user namespaces. Otherwise the command fails and prints the reason.
 */
final class Mounts {
    private static final String AS_ROOT = "unshare --mount";
    private static final String AS_ANYBODY = "unshare --mount --user --map-root-user";

    private Mounts() {}

    /** Mounts a new, empty file system of this size at the directory. */
    static List<String> small(Path directory, int megabytes) {
        return after("mount -t tmpfs -o size=" + megabytes + "m felice \"$1\"", directory);
    }

    /** Mounts the directory read-only, so that not even root can write to it. */
    static List<String> readOnly(Path directory) {
        return after("mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"", directory);
    }

    /** A path by which this process reaches a directory in the mount namespace of process {@code pid}. */
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
