package io.felice.storage.mvstore;

import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of no use but its size: on a full disk it is deleted, so that there is room to write down that records were deleted.
 * It is made again when there is plenty. Any thread.
 */
final class SpareFile {
    private static final Logger LOG = LoggerFactory.getLogger(SpareFile.class);

    static final String NAME = "spare";

    private static final long MOST_BYTES = 2 << 20;
    private static final long LEAST_BYTES = 256 << 10;
    /** Of a small volume. */
    private static final int SHARE = 64;

    /** The file is made when so many times its size is free. */
    private static final int PLENTY = 16;

    private final Path path;
    private final Supplier<Volume> volume;

    SpareFile(Path directory, Supplier<Volume> volume) {
        this.path = directory.resolve(NAME);
        this.volume = volume;
    }

    /** Makes the file if it is not there and there is plenty of room for it. */
    synchronized void makeIfThereIsRoom() {
        Volume now = volume.get();
        long bytes = bytesOn(now);
        if (Files.exists(path) || (now.usableBytes() >= 0 && now.usableBytes() < PLENTY * bytes)) {
            return;
        }
        try {
            write(bytes);
        } catch (IOException failure) {
            LOG.debug("{} was not made: {}", path, failure.toString());
            giveUp();
        }
    }

    private static long bytesOn(Volume volume) {
        long share = volume.totalBytes() < 0 ? MOST_BYTES : volume.totalBytes() / SHARE;
        return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, share));
    }

    private void write(long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocate((int) LEAST_BYTES);
            for (long at = 0; at < bytes; at += LEAST_BYTES) {
                zeros.clear();
                channel.write(zeros, at);
            }
        }
    }

    /** Deletes the file; false if it was not there, so that nothing is gained. */
    synchronized boolean giveUp() {
        try {
            return Files.deleteIfExists(path);
        } catch (IOException failure) {
            return false;
        }
    }
}
