package io.felice.storage.log;

import io.felice.api.FileDescriptors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.BooleanSupplier;

/**
 * The file system as far as this engine uses it; tests let single operations fail by overriding them.
 *
 * <p>No thread that calls in here may be interrupted: an interrupt closes the channel under every other user, and the
 * log of that file goes offline until it is opened again.
 */
class DiskFiles {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    /** Other threads may open what was closed for this one. */
    private static final int OPENING_ATTEMPTS = 5;

    /** What to do if the process has too many files open: closes some, and returns true if it did. */
    private volatile BooleanSupplier onShortage = () -> false;

    void onShortage(BooleanSupplier closeSome) {
        onShortage = closeSome;
    }

    /** Opens a file for reading and writing. */
    FileChannel open(Path file, boolean create) throws IOException {
        return create
                ? openSparingly(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)
                : openSparingly(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private FileChannel openSparingly(Path file, OpenOption... options) throws IOException {
        for (int attempts = OPENING_ATTEMPTS; attempts > 1; attempts--) {
            try {
                return openNow(file, options);
            } catch (FileSystemException failure) {
                if (!FileDescriptors.areUsedUp(failure) || !onShortage.getAsBoolean()) {
                    throw failure;
                }
            }
        }
        return openNow(file, options);
    }

    FileChannel openNow(Path file, OpenOption... options) throws IOException {
        return FileChannel.open(file, options);
    }

    /** Fills the buffer from {@code position} on, as far as the file goes. */
    void read(FileChannel channel, ByteBuffer target, long position) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int read = channel.read(target, at);
            if (read < 0) {
                return;
            }
            at += read;
        }
    }

    /** Writes all that remains in the buffer. */
    final void write(FileChannel channel, ByteBuffer source, long position) throws IOException {
        write(channel, source, NOTHING, position);
    }

    /**
     * Writes all that remains in {@code source}, and as much of {@code behind} after it as there is space for. One thread
     * at a time for each channel.
     *
     * @return false if there was no space for all of {@code behind}
     */
    boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
        long at = position;
        if (behind.hasRemaining()) {
            channel.position(at);
            at += channel.write(new ByteBuffer[] {source, behind});
        }
        while (source.hasRemaining()) {
            at += channel.write(source, at);
        }
        return !behind.hasRemaining();
    }

    /** On return the file's bytes and its length survive a power cut. */
    void force(FileChannel channel) throws IOException {
        channel.force(false);
    }

    void truncate(FileChannel channel, long size) throws IOException {
        channel.truncate(size);
    }

    void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
    }

    /** Atomic; replaces the target if it is a file. */
    void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    void createDirectory(Path directory) throws IOException {
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException exists) {
            if (!Files.isDirectory(directory)) {
                throw exists;
            }
        }
    }

    /** On return the names in the directory survive a power cut. */
    void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = openSparingly(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Of the device that a file or directory is on. */
    long totalSpace(Path there) throws IOException {
        return Files.getFileStore(there).getTotalSpace();
    }

    /** Of the device that a file or directory is on, as far as this process may use it. */
    long usableSpace(Path there) throws IOException {
        return Files.getFileStore(there).getUsableSpace();
    }

    /** Writes a small file so that after a crash the old or the new content is there, whole. */
    final void writeWhole(Path file, ByteBuffer content) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".tmp");
        try (FileChannel channel = open(draft, true)) {
            truncate(channel, 0);
            write(channel, content, 0);
            force(channel);
        }
        rename(draft, file);
        syncDirectory(file.getParent());
    }
}
