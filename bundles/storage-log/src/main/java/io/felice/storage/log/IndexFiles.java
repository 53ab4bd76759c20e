package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads and writes the two files beside a segment that hold its {@link SparseIndex}. A missing index is rebuilt from
 * the segment, so a failed write is only logged; an outdated index would be wrong. The files are written under the
 * log's lock {@code flushing}.
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

    /** Null if the files are missing, or cannot belong to a segment of this size. */
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

    /** True if both files were written; after a failure both are deleted. */
    boolean write(SparseIndex index, boolean force) {
        try {
            write(offsets, index.offsetFile(), force);
            write(times, index.timeFile(), force);
            return true;
        } catch (IOException failure) {
            LOG.warn("{} was not written and is rebuilt when it is needed: {}", offsets, failure.toString());
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
            LOG.warn("{} is incomplete and could not be deleted: {}", offsets, failure.toString());
        }
    }

    void delete() throws IOException {
        files.delete(offsets);
        files.delete(times);
    }
}
