package io.felice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file of Markdown in which several programs each write a part of their own. The rest of the file stays as it is. */
record Report(Path file) {
    /**
     * Replaces the part that a program has written before, or adds it at the end.
     *
     * @param command the command that writes the part, for example {@code ./dev bench}
     * @param text whole lines
     */
    void write(String command, String text) throws IOException {
        String begin = "<!-- Written by " + command + ": changes by hand are lost -->\n";
        String end = "<!-- End of what " + command + " writes -->\n";
        String all = Files.exists(file) ? Files.readString(file) : "";
        int from = all.indexOf(begin);
        int to = all.indexOf(end);
        String part = begin + "\n" + text.strip() + "\n\n" + end;
        if (from < 0 || to < from) {
            String before = all.isBlank() ? "" : all.stripTrailing() + "\n\n";
            Files.writeString(file, before + part);
        } else {
            Files.writeString(file, all.substring(0, from) + part + all.substring(to + end.length()));
        }
    }
}
