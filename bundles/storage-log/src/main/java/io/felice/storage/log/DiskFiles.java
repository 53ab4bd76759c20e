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
 * The file operations that the engine uses; tests override single operations to let them fail.
 *
 * <p>A thread that calls these methods must not be interrupted: an interrupt closes the channel for all its users, and
 * the file's log is offline until it is opened again.
 */
class DiskFiles {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    /**
     * More than one: after {@link #onShortage} closed a file, another thread may open a file before this thread does.
     */
    private static final int OPENING_ATTEMPTS = 5;

    /** Called if the process has too many files open; closes some files, and returns true if it closed any. */
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

    /** Fills the buffer with the file's bytes from {@code position} on; stops early at the end of the file. */
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

    /** Writes all remaining bytes of the buffer. */
    final void write(FileChannel channel, ByteBuffer source, long position) throws IOException {
        write(channel, source, NOTHING, position);
    }

    /**
     * Writes all remaining bytes of {@code source}, followed by as much of {@code behind} as the disk has space for.
     * One thread at a time for each channel.
     *
     * @return false if {@code behind} was not written completely
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

    /** Renames atomically; replaces the target if it is a file. */
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

    /** On return the file names in the directory survive a power cut. */
    void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = openSparingly(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Bytes of the volume that a file or directory is on. */
    long totalSpace(Path there) throws IOException {
        return Files.getFileStore(there).getTotalSpace();
    }

    /** Free bytes of the volume that a file or directory is on, as far as this process may use them. */
    long usableSpace(Path there) throws IOException {
        return Files.getFileStore(there).getUsableSpace();
    }

    /** Replaces a small file; after a crash it has either its old or its new content. */
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
