package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;

/**
 * The disk of a log engine whose process is killed: after a number of changes nothing changes any more, and the write that
 * comes next is half done. A copy of the directory is what the next start finds.
 */
public final class DyingDisk extends DiskFiles {
    private static final int NEVER = Integer.MAX_VALUE;

    private final Path directory;
    private int changesLeft = NEVER;

    public DyingDisk(Path directory) {
        this.directory = directory;
    }

    /** An engine with its logs on this disk. */
    public LogStorageEngine engine() {
        return new LogStorageEngine(directory, LogSettings.DEFAULT, this, Clock.systemUTC(), false);
    }

    /** The process is killed after so many more changes. */
    public synchronized void dieAfter(int changes) {
        changesLeft = changes;
    }

    public synchronized boolean isDead() {
        return changesLeft <= 0;
    }

    private synchronized void change() throws IOException {
        if (changesLeft != NEVER && changesLeft-- <= 0) {
            throw new IOException("the process was killed");
        }
    }

    @Override
    FileChannel open(Path file, boolean create) throws IOException {
        if (create && !Files.exists(file)) {
            change();
        }
        return super.open(file, create);
    }

    @Override
    boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
        boolean isLast;
        synchronized (this) {
            isLast = changesLeft == 0;
        }
        ByteBuffer half = source.duplicate().limit(source.position() + source.remaining() / 2);
        try {
            change();
        } catch (IOException killed) {
            if (isLast) {
                super.write(channel, half, behind.duplicate().limit(behind.position()), position);
            }
            throw killed;
        }
        return super.write(channel, source, behind, position);
    }

    /** What an fsync is good for shows after a power cut only. */
    @Override
    void force(FileChannel channel) throws IOException {
        change();
    }

    @Override
    void syncDirectory(Path synced) throws IOException {
        change();
    }

    @Override
    void truncate(FileChannel channel, long size) throws IOException {
        change();
        super.truncate(channel, size);
    }

    @Override
    void delete(Path file) throws IOException {
        if (Files.exists(file)) {
            change();
            super.delete(file);
        }
    }

    @Override
    void rename(Path from, Path to) throws IOException {
        change();
        super.rename(from, to);
    }

    @Override
    void createDirectory(Path created) throws IOException {
        change();
        super.createDirectory(created);
    }
}
