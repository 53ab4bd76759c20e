package io.felice.broker.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of lines in the format of Kafka's checkpoints. Each write replaces the whole file:
 * <pre>
 *  0            version
 *  2            number of lines
 *  orders 0 17  the lines
 *  orders 1 4
 * </pre>
 */
public final class CheckpointFile {
    private static final String VERSION = "0";
    private static final int HEADER_LINES = 2;

    private CheckpointFile() {}

    public static void write(Path file, List<String> lines) throws IOException {
        replace(file, bytes(lines));
    }

    /** On return the lines survive a power cut. */
    public static void writeDurably(Path file, List<String> lines) throws IOException {
        replaceDurably(file, bytes(lines));
    }

    private static ByteBuffer bytes(List<String> lines) {
        List<String> all = new ArrayList<>(lines.size() + HEADER_LINES);
        all.add(VERSION);
        all.add(Integer.toString(lines.size()));
        all.addAll(lines);
        return ByteBuffer.wrap((String.join("\n", all) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The lines of a file.
     *
     * @throws IOException if it is not there, damaged, or of another version
     */
    public static List<String> read(Path file) throws IOException {
        List<String> all = Files.readAllLines(file);
        if (all.size() < HEADER_LINES || !all.get(0).equals(VERSION)) {
            throw new IOException(file + " is no checkpoint file of version " + VERSION);
        }
        List<String> lines = all.subList(HEADER_LINES, all.size());
        if (!all.get(1).equals(Integer.toString(lines.size()))) {
            throw new IOException(file + " should have " + all.get(1) + " lines, not " + lines.size());
        }
        return lines;
    }

    /**
     * Writes a new file and renames it over the old one, so that a reader finds the whole old or the whole new file.
     */
    static void replace(Path file, ByteBuffer bytes) throws IOException {
        replace(file, bytes, false);
    }

    /** On return the new file survives a power cut: the bytes are flushed before the rename, the directory after it. */
    public static void replaceDurably(Path file, ByteBuffer bytes) throws IOException {
        replace(file, bytes, true);
    }

    private static void replace(Path file, ByteBuffer bytes, boolean durably) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".draft");
        try (FileChannel channel = FileChannel.open(
                draft, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            if (durably) {
                channel.force(true);
            }
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        if (durably) {
            flushNames(file.toAbsolutePath().getParent());
        }
    }

    /** On return the names in a directory survive a power cut. */
    public static void flushNames(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
