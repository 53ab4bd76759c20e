package io.felice.console;

import io.felice.console.http.Json;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who has changed which settings in the console, the oldest first. It is kept in a file, one JSON object a line, without the
 * values of secrets. Any thread.
 */
final class SettingsHistory {
    private static final Logger log = LoggerFactory.getLogger(SettingsHistory.class);
    private static final int MOST = 1_000;
    private static final long MOST_BYTES = 8 << 20;

    private final Path file;
    private final List<Entry> entries = new ArrayList<>();
    private boolean isRead;

    /** @param file null to keep it in memory */
    SettingsHistory(Path file) {
        this.file = file;
    }

    /** A change as the API shows it. */
    record Version(int version, Instant at, String author, List<ConfigEdits.Diff> changed) {}

    private record Entry(String pid, int version, String at, String author, List<ConfigEdits.Diff> changed) {
        Version shown() {
            return new Version(version, Instant.parse(at), author, changed);
        }
    }

    /** Saves something. */
    interface Save {
        void run() throws IOException;
    }

    synchronized void changedHere(String pid, String author, List<ConfigEdits.Diff> diffs, Save save)
            throws IOException {
        read();
        save.run();
        int version = entries.isEmpty() ? 1 : entries.get(entries.size() - 1).version() + 1;
        Entry entry = new Entry(pid, version, Instant.now().toString(), author, diffs);
        entries.add(entry);
        if (entries.size() > MOST) {
            entries.remove(0);
        }
        write(entry);
    }

    synchronized List<Version> of(String pid) {
        read();
        return entries.stream()
                .filter(entry -> entry.pid().equals(pid))
                .map(Entry::shown)
                .toList();
    }

    private void read() {
        if (isRead || file == null) {
            return;
        }
        isRead = true;
        try {
            if (!Files.exists(file) || Files.size(file) > MOST_BYTES) {
                return;
            }
            for (String line : Files.readAllLines(file)) {
                entries.add(Json.read(line.getBytes(StandardCharsets.UTF_8), Entry.class));
            }
        } catch (IOException | UncheckedIOException | Problem unreadable) {
            log.warn("The history of the settings, {}, cannot be read: {}", file, unreadable.getMessage());
        }
    }

    private void write(Entry entry) {
        if (file == null) {
            return;
        }
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, Json.text(entry) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException unwritable) {
            log.warn("The history of the settings, {}, cannot be written: {}", file, unwritable.toString());
        }
    }
}
