package io.felice.itests.container;

import io.felice.itests.rig.MadeOnce;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** One of the two archives that the build of the distribution makes. */
record Archive(String ending) {

    static final Archive TAR_GZ = new Archive(".tar.gz");
    static final Archive ZIP = new Archive(".zip");

    private static final Path BUILT =
            Path.of(System.getProperty("felice.root", "../..")).resolve("distribution/target");

    private static final Path SHARED = Path.of("target/installation").toAbsolutePath();

    /** The version that the archive must be of. */
    static String version() {
        return System.getProperty("felice.version", "1.0.0-SNAPSHOT");
    }

    /** The directory that contains all files of the archive. */
    static String topDirectory() {
        return "felice-" + version();
    }

    Path file() throws IOException {
        try (Stream<Path> files = Files.list(BUILT)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(BUILT + " has no archive: run ./dev build first"));
        }
    }

    /** The installation that test classes share, in {@code target}. Nodes do not write into it, and tests must not. */
    static Path installation() {
        MadeOnce.in(SHARED, Archive::unpackShared);
        return SHARED.resolve(topDirectory());
    }

    private static void unpackShared() throws IOException, InterruptedException {
        Path built = TAR_GZ.file();
        Path unpacked = SHARED.resolve("unpacked");
        String current = built.toRealPath() + " of " + Files.getLastModifiedTime(built);
        if (!Files.exists(unpacked) || !Files.readString(unpacked).equals(current)) {
            Path old = SHARED.resolve(topDirectory());
            if (Files.exists(old)) {
                new ProcessBuilder("rm", "-rf", old.toString())
                        .inheritIO()
                        .start()
                        .waitFor();
            }
            TAR_GZ.unpack(SHARED);
            Files.writeString(unpacked, current);
        }
    }

    /** Unpacks the archive with {@code tar} or {@code unzip} and returns its top directory. */
    Path unpack(Path into) throws IOException, InterruptedException {
        unpack(file(), into);
        return into.resolve(topDirectory());
    }

    /** Unpacks an archive and returns the one directory that it made. */
    static Path unpackAny(Path archive, Path into) throws IOException, InterruptedException {
        unpack(archive, into);
        try (Stream<Path> made = Files.list(into)) {
            return made.findFirst().orElseThrow();
        }
    }

    private static void unpack(Path archive, Path into) throws IOException, InterruptedException {
        Files.createDirectories(into);
        String file = archive.toRealPath().toString();
        List<String> command = file.endsWith(".zip") ? List.of("unzip", "-q", file) : List.of("tar", "xzf", file);
        Process process =
                new ProcessBuilder(command).directory(into.toFile()).inheritIO().start();
        if (process.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", command) + " failed");
        }
    }

    @Override
    public String toString() {
        return ending;
    }
}
