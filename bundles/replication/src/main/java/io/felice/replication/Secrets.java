package io.felice.replication;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads passwords from files. Blocks. */
final class Secrets {
    static final int MOST_BYTES_OF_STORE = 4 << 20;

    private static final String FILE = "file:";
    private static final int MOST_BYTES = 4096;

    private Secrets() {}

    /** The password of a setting: the setting itself, or the first line of the file after {@code file:}. */
    static String read(String setting) throws IOException {
        return setting.startsWith(FILE) ? firstLine(Path.of(setting.substring(FILE.length()))) : setting;
    }

    static String firstLine(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException(file + " is larger than " + MOST_BYTES + " bytes, so it is no file of a password");
        }
        return Files.readString(file, StandardCharsets.UTF_8)
                .lines()
                .findFirst()
                .orElseThrow(() -> new IOException(file + " is empty, so it has no password"));
    }
}
