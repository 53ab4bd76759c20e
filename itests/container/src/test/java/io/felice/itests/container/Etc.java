package io.felice.itests.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** A node's own configuration, as its operator edits it. */
record Etc(Path directory) {

    /** A copy of what an installation brings. */
    static Etc of(Path home, Path directory) throws IOException {
        Path from = home.resolve("etc");
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Files.copy(path, directory.resolve(from.relativize(path)));
            }
        }
        return new Etc(directory);
    }

    Path file(String name) {
        return directory.resolve(name);
    }

    /** Gives a key that is in the file another value. */
    void set(String file, String key, String value) throws IOException {
        List<String> lines = Files.readAllLines(file(file)).stream()
                .map(line -> line.startsWith(key + " =") ? key + " = " + value : line)
                .toList();
        Files.write(file(file), lines);
    }

    void add(String file, String... lines) throws IOException {
        Files.write(file(file), List.of(lines), StandardOpenOption.APPEND);
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
