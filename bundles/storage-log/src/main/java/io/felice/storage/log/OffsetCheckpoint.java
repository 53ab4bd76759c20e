package io.felice.storage.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file with one offset for each log, in Kafka's checkpoint format: a line with the version, a line with the number of
 * entries, and a line {@code topic partition offset} for each entry. Changes stay in memory until {@link #write}.
 * Threads that call {@link #write} at the same time share one write of the file; each call returns when the changes
 * made before it are on disk. Thread-safe.
 */
final class OffsetCheckpoint {
    private static final Logger LOG = LoggerFactory.getLogger(OffsetCheckpoint.class);
    private static final String VERSION = "0";

    private final DiskFiles files;
    private final Path file;
    private final ReentrantLock writing = new ReentrantLock();

    private final Map<String, Long> offsets = new HashMap<>();
    private Map<String, Long> onDisk = Map.of();
    /** The entries of a write that is in progress: they may or may not be on disk. */
    private Map<String, Long> beingWritten = Map.of();

    private long changes;
    private long writtenChanges;

    OffsetCheckpoint(DiskFiles files, Path file) {
        this.files = files;
        this.file = file;
    }

    /** Reads the file; a missing or malformed file counts as empty. */
    synchronized void load() throws IOException {
        if (Files.exists(file)) {
            try {
                parse(Files.readString(file, UTF_8).lines().iterator());
            } catch (RuntimeException malformed) {
                LOG.warn("{} is malformed and is ignored: {}", file, malformed.toString());
                offsets.clear();
            }
        }
        onDisk = Map.copyOf(offsets);
    }

    private void parse(Iterator<String> lines) {
        if (!lines.next().trim().equals(VERSION)) {
            throw new IllegalArgumentException("unknown version");
        }
        int count = Integer.parseInt(lines.next().trim());
        for (int i = 0; i < count; i++) {
            String line = lines.next();
            int at = line.lastIndexOf(' ');
            offsets.put(line.substring(0, at), Long.parseLong(line.substring(at + 1)));
        }
    }

    /** @param key topic and partition, with a space between them */
    synchronized void put(String key, long offset) {
        if (!Objects.equals(offsets.put(key, offset), offset)) {
            changes++;
        }
    }

    /** As {@link #put} and {@link #write}; if the write fails, the old offset is restored. */
    void putOnDisk(String key, long offset) throws IOException {
        Long before = replace(key, offset);
        try {
            write();
        } catch (IOException failure) {
            replace(key, before);
            throw failure;
        }
    }

    /** @param offset null to remove the entry */
    private synchronized Long replace(String key, Long offset) {
        changes++;
        return offset == null ? offsets.remove(key) : offsets.put(key, offset);
    }

    synchronized void remove(String key) {
        if (offsets.remove(key) != null) {
            changes++;
        }
    }

    synchronized long get(String key, long otherwise) {
        return offsets.getOrDefault(key, otherwise);
    }

    synchronized boolean isOnDisk(String key) {
        return onDisk.containsKey(key) || beingWritten.containsKey(key);
    }

    /** The largest offset that the file may have for this log after a crash; -1 if there is none. */
    synchronized long onDisk(String key) {
        return Math.max(onDisk.getOrDefault(key, -1L), beingWritten.getOrDefault(key, -1L));
    }

    /** On return all changes made before the call survive a power cut. */
    void write() throws IOException {
        long needed = changes();
        writing.lock();
        try {
            if (writtenChanges() < needed) {
                writeAll();
            }
        } finally {
            writing.unlock();
        }
    }

    private synchronized long changes() {
        return changes;
    }

    private synchronized long writtenChanges() {
        return writtenChanges;
    }

    private void writeAll() throws IOException {
        Map<String, Long> snapshot;
        long covered;
        synchronized (this) {
            snapshot = Map.copyOf(offsets);
            covered = changes;
            beingWritten = snapshot;
        }
        StringBuilder text = new StringBuilder(32 * snapshot.size() + 16);
        text.append(VERSION).append('\n').append(snapshot.size()).append('\n');
        snapshot.forEach(
                (key, offset) -> text.append(key).append(' ').append(offset).append('\n'));
        files.writeWhole(file, ByteBuffer.wrap(text.toString().getBytes(UTF_8)));
        synchronized (this) {
            onDisk = snapshot;
            beingWritten = Map.of();
            writtenChanges = covered;
        }
    }
}
