package io.felice.itests.rig;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A small file system in memory at a directory, in a mount namespace of its own, for processes that run one after the
 * other. Its files live until this is closed. Root can make one, others only where the kernel allows user namespaces.
 *
 * @param holder keeps the namespace
 */
record SmallDisk(Process holder, Path directory) implements AutoCloseable {
    private static final String BALLAST = "ballast";
    private static final int BLOCK = 64 << 10;

    /** @throws AssertionError if this process may not mount */
    static SmallDisk at(Path directory, int megabytes) {
        String inside = " sh -c 'mount -t tmpfs -o size=$1m felice \"$2\" && echo mounted && exec sleep infinity'"
                + " sh \"$@\"";
        try {
            Files.createDirectories(directory);
            Process holder = new ProcessBuilder(
                            "sh",
                            "-c",
                            "if [ \"$(id -u)\" = 0 ]; then exec unshare --mount" + inside
                                    + "; else exec unshare --mount --user --map-root-user" + inside + "; fi",
                            "sh",
                            Integer.toString(megabytes),
                            directory.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            if (holder.inputReader().readLine() == null) {
                throw new AssertionError("nothing can be mounted at " + directory);
            }
            return new SmallDisk(holder, directory);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    /** What comes before a command that is to see the file system. */
    List<String> command() {
        String enter = "nsenter --mount --target " + holder.pid();
        return List.of(
                "sh",
                "-c",
                "if [ \"$(id -u)\" = 0 ]; then exec " + enter + " \"$@\"; else exec " + enter
                        + " --user --preserve-credentials \"$@\"; fi",
                "sh");
    }

    private Path ballast() {
        return Path.of("/proc", Long.toString(holder.pid()), "root")
                .resolve(Path.of("/").relativize(directory.resolve(BALLAST)));
    }

    /** Writes until the file system has no byte left. */
    void fill() {
        try (OutputStream out = Files.newOutputStream(ballast())) {
            byte[] block = new byte[BLOCK];
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            // That is what was wanted.
        }
    }

    /** Gives the room back that {@link #fill} has taken. */
    void makeRoom() {
        try {
            Files.deleteIfExists(ballast());
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public void close() {
        holder.destroy();
    }
}
