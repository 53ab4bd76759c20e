package io.felice.itests.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** The directory etc of a node, with its configuration files. */
record Etc(Path directory) {

    /** Copies the files of the installation to {@code directory}. */
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

    /** Changes the value of a key that is in the file. */
    void set(String file, String key, String value) throws IOException {
        List<String> lines = Files.readAllLines(file(file)).stream()
                .map(line -> line.startsWith(key + " =") ? key + " = " + value : line)
                .toList();
        Files.write(file(file), lines);
    }

    /** Changes the value of a key; if it is not in the file, or there is no file, adds it. */
    void put(String file, String key, String value) throws IOException {
        boolean isThere = Files.exists(file(file))
                && Files.readAllLines(file(file)).stream().anyMatch(line -> line.startsWith(key + " ="));
        if (isThere) {
            set(file, key, value);
        } else {
            Files.write(file(file), List.of(key + " = " + value), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    void add(String file, String... lines) throws IOException {
        Files.write(file(file), List.of(lines), StandardOpenOption.APPEND);
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
