package io.felice.storage.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.stream.Stream;

/** A disk of limited size for a log engine: a write that does not fit fails after half of it is written. */
public final class SmallDisk extends DiskFiles {
    private final Path directory;
    private final long capacity;
    private volatile boolean takenByOthers;

    public SmallDisk(Path directory, long capacity) {
        this.directory = directory;
        this.capacity = capacity;
    }

    /** An engine with its logs on this disk. */
    public LogStorageEngine engine() {
        return new LogStorageEngine(directory, LogSettings.DEFAULT, this, Clock.systemUTC());
    }

    /** Other processes take all free space, now and later, or give it back. */
    public void takenByOthers(boolean taken) {
        takenByOthers = taken;
    }

    @Override
    long totalSpace(Path there) {
        return capacity;
    }

    @Override
    long usableSpace(Path there) {
        return takenByOthers ? 0 : Math.max(0, capacity - used(directory));
    }

    private static long used(Path path) {
        if (!Files.isDirectory(path)) {
            return sizeOf(path);
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.mapToLong(SmallDisk::used).sum();
        } catch (NoSuchFileException gone) {
            return 0;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException gone) {
            return 0;
        }
    }

    @Override
    synchronized boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position)
            throws IOException {
        long space = channel.size() + usableSpace(directory) - position;
        ByteBuffer nothing = behind.duplicate().limit(behind.position());
        if (space < source.remaining()) {
            int half = source.remaining() / 2;
            super.write(channel, source.duplicate().limit(source.position() + half), nothing, position);
            throw new IOException("No space left on device");
        }
        if (space < source.remaining() + behind.remaining()) {
            super.write(channel, source, nothing, position);
            return false;
        }
        return super.write(channel, source, behind, position);
    }
}
