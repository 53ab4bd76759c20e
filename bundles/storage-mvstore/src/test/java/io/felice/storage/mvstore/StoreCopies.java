package io.felice.storage.mvstore;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Copies the directory of an engine, as a kill would leave it. */
final class StoreCopies {
    private StoreCopies() {}

    /** Copies the newest files first: a file that is deleted meanwhile is not used by them. */
    static void copy(Path from, Path to) {
        try {
            Files.createDirectories(to);
            List<Path> files;
            try (Stream<Path> entries = Files.list(from)) {
                files = entries.sorted((one, other) -> other.compareTo(one)).toList();
            }
            for (Path file : files) {
                if (file.getFileName().toString().equals(".lock")) {
                    continue;
                }
                try {
                    Files.copy(file, to.resolve(file.getFileName()));
                } catch (NoSuchFileException deleted) {
                    continue;
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
