package io.felice.storage.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Copies of directories: a copy of one in use is what a kill -9 leaves behind. */
final class Directories {
    private Directories() {}

    static void copy(Path from, Path to) {
        try {
            Files.createDirectories(to);
            for (Path path : filesOf(from, "")) {
                Path target = to.resolve(path.getFileName());
                if (Files.isDirectory(path)) {
                    copy(path, target);
                } else {
                    Files.copy(path, target);
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static Path lastSegmentOf(Path partition) {
        List<Path> logs = filesOf(partition, ".log");
        return logs.get(logs.size() - 1);
    }

    static List<Path> filesOf(Path directory, String suffix) {
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(path -> path.toString().endsWith(suffix)).sorted().toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
