package io.felice.network;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A password of a setting: the password itself, or {@code file:PATH} of a file whose first line is the password. Its
 * text shows neither.
 */
record Secret(String setting) {
    private static final String FILE = "file:";
    private static final int MOST_BYTES = 4096;

    boolean isEmpty() {
        return setting.isEmpty();
    }

    /** The file with the password; empty if the setting is the password. */
    Optional<Path> file() {
        return setting.startsWith(FILE) ? Optional.of(Path.of(setting.substring(FILE.length()))) : Optional.empty();
    }

    /** Blocks: reads the file. */
    char[] read() throws IOException {
        Optional<Path> file = file();
        return (file.isPresent() ? firstLine(file.get()) : setting).toCharArray();
    }

    private static String firstLine(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException(file + " is larger than " + MOST_BYTES + " bytes, so it is no file of a password");
        }
        return Files.readString(file, StandardCharsets.UTF_8)
                .lines()
                .findFirst()
                .orElse("");
    }

    @Override
    public String toString() {
        return isEmpty() ? "" : "***";
    }
}
