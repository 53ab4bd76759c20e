package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two files beside a segment that hold its {@link SparseIndex}. They can be made anew from the segment: failing to
 * write them is no harm, stale ones would be. For who holds the log's {@code flushing}, or recovers it.
 */
final class IndexFiles {
    private static final Logger LOG = LoggerFactory.getLogger(IndexFiles.class);

    private final DiskFiles files;
    private final Path offsets;
    private final Path times;

    IndexFiles(DiskFiles files, Path directory, long baseOffset) {
        this.files = files;
        this.offsets = directory.resolve(SegmentFile.nameOf(baseOffset, ".index"));
        this.times = directory.resolve(SegmentFile.nameOf(baseOffset, ".timeindex"));
    }

    boolean exist() {
        return Files.exists(offsets) && Files.exists(times);
    }

    /** Null if the files are missing, or cannot be those of a segment of this size. */
    SparseIndex read(long baseOffset, long segmentBytes) throws IOException {
        if (!exist()) {
            return null;
        }
        ByteBuffer timeBytes = ByteBuffer.wrap(Files.readAllBytes(times));
        if (segmentBytes > 0 && timeBytes.remaining() == 0) {
            return null;
        }
        return SparseIndex.of(baseOffset, segmentBytes, ByteBuffer.wrap(Files.readAllBytes(offsets)), timeBytes);
    }

    /** True if the files are there now; else there are none. */
    boolean write(SparseIndex index, boolean force) {
        try {
            write(offsets, index.offsetFile(), force);
            write(times, index.timeFile(), force);
            return true;
        } catch (IOException failure) {
            LOG.warn("{} was not written: {}", offsets, failure.toString());
            deleteAfterFailure();
            return false;
        }
    }

    private void write(Path file, ByteBuffer content, boolean force) throws IOException {
        try (FileChannel opened = files.open(file, true)) {
            files.truncate(opened, 0);
            files.write(opened, content, 0);
            if (force) {
                files.force(opened);
            }
        }
    }

    private void deleteAfterFailure() {
        try {
            delete();
        } catch (IOException failure) {
            LOG.warn("What there is of {} was not removed: {}", offsets, failure.toString());
        }
    }

    void delete() throws IOException {
        files.delete(offsets);
        files.delete(times);
    }
}
