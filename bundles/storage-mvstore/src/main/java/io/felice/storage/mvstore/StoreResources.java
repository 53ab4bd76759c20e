package io.felice.storage.mvstore;

import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * What all shards share.
 *
 * @param fileSystem what stands before the path of a store file for MVStore; empty for the disk
 * @param volume how much room there is
 * @param flusher runs fsyncs and deletes files
 */
record StoreResources(
        StoreSettings settings,
        String fileSystem,
        Clock clock,
        Supplier<Volume> volume,
        SpareFile spare,
        BatchMemory memory,
        StoreCounters counters,
        Executor flusher) {
    /** With less than this free, or a twentieth of a small volume, a write that fails does so for lack of space. */
    private static final long LEAST_BYTES = 4 << 20;

    private static final int LEAST_SHARE = 20;

    /** A store file is at most this part of the volume, together with those of the other shards. */
    private static final int FILES_SHARE = 8;

    private static final long LEAST_FILE_BYTES = 1 << 20;

    /**
     * A store file that has more bytes gets a successor. On a small volume files are smaller: its space comes back file by
     * file.
     */
    long mostFileBytes() {
        long total = volume.get().totalBytes();
        long share = total < 0 ? Long.MAX_VALUE : total / FILES_SHARE / settings.shards();
        return Math.min(settings.fileBytes(), Math.max(LEAST_FILE_BYTES, share));
    }

    boolean isFull() {
        Volume now = volume.get();
        long least = now.totalBytes() < 0 ? LEAST_BYTES : Math.min(LEAST_BYTES, now.totalBytes() / LEAST_SHARE);
        return now.usableBytes() >= 0 && now.usableBytes() < least;
    }

    /** Renames a file so that a power cut leaves one of the names. */
    void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        syncDirectory(to.getParent());
    }

    void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Memory for the pages of a shard's newest file, in MB. */
    int cacheMb() {
        return (int) Math.max(1, Math.min(1 << 10, settings.cacheBytes() / settings.shards() >> 20));
    }
}
