package io.felice.storage.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Lists and copies directories. A copy of a directory in use is what a kill -9 would leave. */
final class Directories {
    /** Suffix of directories that a running engine may delete during a copy. */
    private static final String DELETED = "-delete";

    private Directories() {}

    static void copy(Path from, Path to) {
        try {
            Files.createDirectories(to);
            for (Path path : filesOf(from, "")) {
                copyOne(path, to.resolve(path.getFileName()));
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void copyOne(Path path, Path target) throws IOException {
        if (Files.isDirectory(path)) {
            copy(path, target);
            return;
        }
        try {
            Files.copy(path, target);
        } catch (NoSuchFileException gone) {
            if (!path.toString().contains(DELETED)) {
                throw gone;
            }
        }
    }

    static Path lastSegmentOf(Path partition) {
        List<Path> logs = filesOf(partition, ".log");
        return logs.get(logs.size() - 1);
    }

    static List<Path> filesOf(Path directory, String suffix) {
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(path -> path.toString().endsWith(suffix)).sorted().toList();
        } catch (NoSuchFileException gone) {
            if (directory.toString().endsWith(DELETED)) {
                return List.of();
            }
            throw new UncheckedIOException(gone);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
