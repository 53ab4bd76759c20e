package io.felice.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads passwords from files, so that they are in no list of processes and in no history of a shell. */
final class PasswordSource {
    private static final long LONGEST = 64 << 10;

    private PasswordSource() {}

    /** The text of a file without the end of its last line. */
    static String read(Path file) {
        try {
            if (Files.isRegularFile(file) && Files.size(file) > LONGEST) {
                throw CliFailure.usage(file + " is too long for a password.", null);
            }
            return Files.readString(file).replaceAll("[\\r\\n]+$", "");
        } catch (IOException unreadable) {
            throw CliFailure.usage("The password cannot be read from " + file + ": " + unreadable.getMessage(), null);
        }
    }
}
