package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Keeps the bytes that recovery removes from a log with a damaged batch: the log ends before that batch, and the rest
 * of its segment and the later segments become files such as {@code 00000000000000000020.log.dropped} beside the
 * segments. No log reads these files. An operator may look for records in them and delete them; they are also deleted
 * with the log.
 */
final class DroppedBatches {
    private static final String SUFFIX = ".log.dropped";
    private static final String DRAFT = ".tmp";

    private final DiskFiles files;
    private final List<Path> kept = new ArrayList<>();
    private long bytes;
    /** The offset after the last dropped batch; -1 if no dropped batch can be read. */
    private long end = -1;

    DroppedBatches(DiskFiles files) {
        this.files = files;
    }

    /**
     * Copies the bytes of a segment from the damaged batch on.
     *
     * @param always false to copy them only if they contain a whole batch: an incomplete write at the end is no loss
     */
    void addRest(SegmentFile segment, long fileBytes, ByteBuffer window, boolean always) throws IOException {
        FileChannel channel = segment.file.channel(false);
        BatchScan scan = new BatchScan(files, channel, window);
        long from = segment.size();
        long whole = firstWholeBatch(scan, segment.baseOffset, from, fileBytes);
        if (whole < 0 && (!always || segment.endsWithZeros(fileBytes))) {
            return;
        }
        if (whole >= 0) {
            noteEnd(scan, whole, fileBytes);
        }
        Path target = unused(segment);
        Path draft = target.resolveSibling(target.getFileName() + DRAFT);
        copy(channel, from, fileBytes, draft, window);
        files.rename(draft, target);
        noteKept(target, fileBytes - from);
    }

    /** Renames the file of a segment after the one with the damaged batch. */
    void add(SegmentFile segment, ByteBuffer window) throws IOException {
        long size = segment.size();
        segment.file.enter();
        try {
            noteEnd(new BatchScan(files, segment.file.channel(false), window), 0, size);
        } finally {
            segment.file.leave();
        }
        segment.retire();
        Path target = unused(segment);
        files.rename(segment.logFile(), target);
        segment.deleteIndexFiles();
        noteKept(target, size);
    }

    private static long firstWholeBatch(BatchScan scan, long baseOffset, long from, long to) throws IOException {
        for (long at = from; at < to; at++) {
            if (scan.header(at, to)
                    && scan.baseOffset() >= baseOffset
                    && scan.lastOffset() - baseOffset <= Integer.MAX_VALUE
                    && scan.crcIsRight()) {
                return at;
            }
        }
        return -1;
    }

    private void noteEnd(BatchScan scan, long from, long to) throws IOException {
        for (long at = from; at < to && scan.header(at, to); at += scan.size()) {
            end = Math.max(end, scan.nextOffset());
        }
    }

    /** A file name that does not exist yet: files of an earlier recovery keep their names. */
    private static Path unused(SegmentFile segment) {
        Path plain = segment.logFile().resolveSibling(SegmentFile.nameOf(segment.baseOffset, SUFFIX));
        Path target = plain;
        for (int number = 2; Files.exists(target); number++) {
            target = plain.resolveSibling(plain.getFileName() + "-" + number);
        }
        return target;
    }

    private void copy(FileChannel from, long start, long stop, Path to, ByteBuffer window) throws IOException {
        try (FileChannel target = files.open(to, true)) {
            files.truncate(target, 0);
            long at = start;
            while (at < stop) {
                window.clear().limit((int) Math.min(window.capacity(), stop - at));
                files.read(from, window, at);
                if (window.flip().limit() == 0) {
                    break;
                }
                long written = window.remaining();
                files.write(target, window, at - start);
                at += written;
            }
            files.force(target);
        } finally {
            window.clear();
        }
    }

    private void noteKept(Path file, long size) {
        kept.add(file);
        bytes += size;
    }

    boolean isEmpty() {
        return kept.isEmpty();
    }

    /** The sentence for the operator; {@code logEnd} is the log's new end offset. */
    String sentence(String log, long logEnd) {
        String offsets =
                end > logEnd ? "offsets " + logEnd + " to " + (end - 1) : "all bytes from offset " + logEnd + " on";
        String names = kept.stream().map(file -> file.getFileName().toString()).collect(Collectors.joining(", "));
        return log + " has a damaged batch at offset " + logEnd + " and ends there now. Dropped: " + offsets + ", "
                + bytes
                + " bytes. They are kept in " + kept.get(0).getParent() + " as " + names
                + "; delete these files when nobody needs their records";
    }
}
