package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Removes batches from the start or the end of a log. Files and checkpoints change in an order in which a crash after
 * any step leaves a log that recovery can read. The caller holds the lock {@code settling}; this class takes
 * {@code flushing}, so that no fsync runs on a file that is deleted or truncated.
 */
final class LogTruncation {
    private static final long MOST_WAIT_FOR_PINS_MS = 60_000;

    private final LogResources shared;
    private final LogState state;
    private final PartitionDirectory directory;
    private final LogWriter writer;
    private final DeletedSegments deletedSegments;
    private final ReentrantLock flushing;

    LogTruncation(
            LogResources shared,
            LogState state,
            PartitionDirectory directory,
            LogWriter writer,
            DeletedSegments deletedSegments,
            LogLocks locks) {
        this.shared = shared;
        this.state = state;
        this.directory = directory;
        this.writer = writer;
        this.deletedSegments = deletedSegments;
        this.flushing = locks.flushing();
    }

    /** Moves the log's start up to {@code to}; if the log ends below, it is empty and starts and ends there. */
    void trimTo(long to) throws IOException {
        if (to <= state.start()) {
            return;
        }
        flushing.lock();
        try {
            writer.settleAll();
            if (to >= state.end()) {
                dropSealed();
                startAgainAt(to);
            } else {
                dropBelow(to);
            }
        } finally {
            flushing.unlock();
        }
    }

    /** Deletes the sealed segments, so that a full disk has space for the new segment's file. */
    private void dropSealed() throws IOException {
        long base = state.active().baseOffset;
        if (base > state.start()) {
            dropBelow(base);
        }
    }

    /**
     * Deletes the segments below {@code to}. Only a start inside a segment is written to the checkpoint: without a
     * checkpoint the log starts at its first segment, so retention, which deletes whole segments, also works on a full
     * disk.
     */
    private void dropBelow(long to) throws IOException {
        long base = state.holding(to).baseOffset;
        List<SegmentFile> dropped = state.trimTo(Math.max(state.start(), base));
        for (SegmentFile segment : dropped) {
            segment.retire();
        }
        for (SegmentFile segment : dropped) {
            deletedSegments.take(segment);
        }
        syncAfter(dropped);
        if (to > base) {
            noteStart(to);
            state.trimTo(to);
        } else {
            directory.forgetStart();
        }
    }

    /** If the checkpoint cannot be written, the log keeps its old start and stays usable. */
    private void noteStart(long to) {
        try {
            directory.noteStart(to);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "the start " + to + " of " + directory + " cannot be written: " + failure.getMessage(), failure);
        }
    }

    /** Makes the deletion of files durable before the next step. */
    private void syncAfter(List<SegmentFile> deleted) throws IOException {
        if (!deleted.isEmpty()) {
            shared.files().syncDirectory(directory.path());
        }
    }

    /** Removes all batches with offsets from {@code to} on; the log may end below {@code to}, between two batches. */
    void truncateTo(long to) throws IOException {
        if (to >= state.end()) {
            return;
        }
        flushing.lock();
        try {
            writer.settleAll();
            if (to < state.start()) {
                startAgainAt(to);
            } else {
                cutOff(to);
            }
        } finally {
            flushing.unlock();
        }
    }

    private void cutOff(long to) throws IOException {
        SegmentFile segment = state.holding(to);
        if (segment == state.active() && segment.size() == 0) {
            return;
        }
        segment.file.enter();
        try {
            cutOff(segment, segment.cutAt(to));
        } finally {
            segment.file.leave();
        }
        if (state.end() == state.start() && segment.baseOffset < state.start()) {
            startAgainAt(state.start());
        }
    }

    private void cutOff(SegmentFile segment, SegmentFile.Cut cut) throws IOException {
        long newEnd = Math.max(state.start(), cut.end());
        directory.lowerRecoveryPoint(newEnd);
        List<SegmentFile> dropped = state.truncateTo(segment, cut, newEnd);
        delete(lastFirst(dropped));
        syncAfter(dropped);
        shorten(segment, cut);
    }

    private void shorten(SegmentFile segment, SegmentFile.Cut cut) throws IOException {
        if (!awaitPins(segment, cut.position())) {
            throw new IOException("a reader still holds batches from offset " + cut.end() + " on after "
                    + MOST_WAIT_FOR_PINS_MS + " ms");
        }
        segment.deleteIndexFiles();
        shared.files().truncate(segment.file.channel(true), cut.position());
        directory.sync(() -> {
            shared.files().force(segment.file.channel(true));
            shared.files().syncDirectory(directory.path());
        });
    }

    private static boolean awaitPins(SegmentFile segment, long position) throws IOException {
        try {
            return segment.file.awaitPinsBelow(position, MOST_WAIT_FOR_PINS_MS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for readers", interrupted);
        }
    }

    /**
     * Empties the log; its start and end are {@code offset} then.
     *
     * <p>If {@code offset} is above the old end, the new segment's file is created first, then the old files are
     * deleted, the first one first: the new file keeps the log's end while they are deleted. If {@code offset} is below
     * the old end, recovery would take the new file for the beginning of the old files. So the old files are deleted
     * first, the last one first. The same applies if an old file has the name of the new one.
     */
    void startAgainAt(long offset) throws IOException {
        directory.make();
        boolean backwards = offset < state.end();
        directory.forgetStartAbove(offset);
        directory.lowerRecoveryPoint(offset);
        List<SegmentFile> dropped = state.startAgainAt(offset);
        dropped.forEach(SegmentFile::retire);
        boolean sameName = dropped.stream().anyMatch(segment -> segment.baseOffset == offset);
        if (backwards || sameName) {
            delete(lastFirst(dropped));
            syncAfter(dropped);
        } else {
            writer.makeActiveFile();
            delete(dropped);
        }
        writer.makeActiveFile();
        directory.noteRecoveryPoint(state.flushed());
    }

    private static void delete(List<SegmentFile> dropped) throws IOException {
        dropped.forEach(SegmentFile::retire);
        for (SegmentFile segment : dropped) {
            segment.delete();
        }
    }

    private static List<SegmentFile> lastFirst(List<SegmentFile> segments) {
        List<SegmentFile> reversed = new ArrayList<>(segments);
        Collections.reverse(reversed);
        return reversed;
    }
}
