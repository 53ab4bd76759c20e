package io.felice.storage.mvstore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much of a store file survives a power cut, in a small file beside it. The file may be older than the truth, never
 * newer.
 *
 * @param length bytes of the store file
 * @param chunk MVStore's number of the last commit in them
 */
record SyncMark(long length, int chunk) {
    static final SyncMark NOTHING = new SyncMark(0, 0);

    private static final String SUFFIX = ".synced";
    private static final Pattern TEXT = Pattern.compile("(\\d{1,18}) (\\d{1,9})\\s*");

    static Path beside(Path file) {
        return file.resolveSibling(file.getFileName() + SUFFIX);
    }

    static SyncMark of(Path file) {
        try {
            Matcher text = TEXT.matcher(Files.readString(beside(file), StandardCharsets.US_ASCII));
            return text.matches()
                    ? new SyncMark(Long.parseLong(text.group(1)), Integer.parseInt(text.group(2)))
                    : NOTHING;
        } catch (NoSuchFileException none) {
            return NOTHING;
        } catch (IOException unreadable) {
            return NOTHING;
        }
    }

    void write(Path file) throws IOException {
        Files.writeString(beside(file), length + " " + chunk + "\n", StandardCharsets.US_ASCII);
    }
}
