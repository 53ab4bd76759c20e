package io.felice.itests.container;

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
