package io.felice.itests.container;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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

    /**
     * New, empty file systems that stay until this is closed, for commands that run one after the other.
     *
     * @param holder a process that does nothing
     */
    record Held(Process holder) implements AutoCloseable {

        /** A command that runs another one among these file systems. */
        List<String> command() {
            String enter = "nsenter --mount --target " + holder.pid();
            return List.of(
                    "sh",
                    "-c",
                    "if [ \"$(id -u)\" = 0 ]; then exec " + enter + " \"$@\"; else exec " + enter
                            + " --user --preserve-credentials \"$@\"; fi",
                    "sh");
        }

        /** Where a directory is for a process that is not among these file systems. */
        Path seen(Path directory) {
            return seenBy(holder.pid(), directory);
        }

        @Override
        public void close() {
            holder.destroy();
        }
    }

    /** @param megabytes how large each file system is, by its directory */
    static Held held(Map<Path, Integer> megabytes) throws IOException {
        List<String> arguments = new ArrayList<>();
        megabytes.forEach((directory, size) -> arguments.addAll(List.of(size + "m", directory.toString())));
        List<String> command = new ArrayList<>(
                under("while [ $# -gt 0 ]; do mount -t tmpfs -o size=$1 felice \"$2\" || exit; shift 2; done;"
                        + " echo mounted; exec sleep infinity"));
        command.addAll(arguments);
        Process holder = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (holder.inputReader().readLine() == null) {
            throw new IOException(String.join(" ", command) + " failed");
        }
        return new Held(holder);
    }

    /** A path by which this process reaches a directory in the mount namespace of process {@code pid}. */
    static Path seenBy(long pid, Path directory) {
        return Path.of("/proc", Long.toString(pid), "root").resolve(Path.of("/").relativize(directory));
    }

    private static List<String> after(String mount, Path directory) {
        List<String> command = new ArrayList<>(under(mount + " && shift && exec \"$@\""));
        command.add(directory.toString());
        return command;
    }

    /** Runs a shell script, which may mount and whose arguments follow. */
    private static List<String> under(String script) {
        String inside = " sh -c '" + script + "' sh \"$@\"";
        return List.of(
                "sh",
                "-c",
                "if [ \"$(id -u)\" = 0 ]; then exec " + AS_ROOT + inside + "; else exec " + AS_ANYBODY + inside
                        + "; fi",
                "sh");
    }
}
