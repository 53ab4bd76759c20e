package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** File operations that wait while a copy of a directory is made: the copy is what a kill -9 would leave. */
final class FreezableFiles extends DiskFiles {
    private final ReadWriteLock freeze = new ReentrantReadWriteLock(true);
    private final boolean forced;

    /** @param forced false to skip fsyncs, which makes tests much faster; only a power cut would show the difference */
    FreezableFiles(boolean forced) {
        this.forced = forced;
    }

    private interface Change {
        void run() throws IOException;
    }

    private void change(Change change) throws IOException {
        freeze.readLock().lock();
        try {
            change.run();
        } finally {
            freeze.readLock().unlock();
        }
    }

    void copy(Path from, Path to) {
        freeze.writeLock().lock();
        try {
            Directories.copy(from, to);
        } finally {
            freeze.writeLock().unlock();
        }
    }

    @Override
    FileChannel open(Path file, boolean create) throws IOException {
        freeze.readLock().lock();
        try {
            return super.open(file, create);
        } finally {
            freeze.readLock().unlock();
        }
    }

    @Override
    boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
        freeze.readLock().lock();
        try {
            return super.write(channel, source, behind, position);
        } finally {
            freeze.readLock().unlock();
        }
    }

    @Override
    void truncate(FileChannel channel, long size) throws IOException {
        change(() -> super.truncate(channel, size));
    }

    @Override
    void delete(Path file) throws IOException {
        change(() -> super.delete(file));
    }

    @Override
    void rename(Path from, Path to) throws IOException {
        change(() -> super.rename(from, to));
    }

    @Override
    void createDirectory(Path directory) throws IOException {
        change(() -> super.createDirectory(directory));
    }

    @Override
    void force(FileChannel channel) throws IOException {
        if (forced) {
            super.force(channel);
        }
    }

    @Override
    void syncDirectory(Path directory) throws IOException {
        if (forced) {
            super.syncDirectory(directory);
        }
    }
}
