package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Takes batches off a log's start or its end. Files and checkpoints change in an order in which a crash after any step
 * leaves a log that recovery understands. All of it is done by who holds the lock {@code settling}; {@code flushing} is
 * taken here, so that no fsync meets a file that goes.
 */
final class LogTruncation {
    private static final long MOST_WAIT_FOR_PINS_MS = 60_000;

    private final LogResources shared;
    private final LogState state;
    private final PartitionDirectory directory;
    private final LogWriter writer;
    private final ReentrantLock flushing;

    LogTruncation(LogResources shared, LogState state, PartitionDirectory directory, LogWriter writer, LogLocks locks) {
        this.shared = shared;
        this.state = state;
        this.directory = directory;
        this.writer = writer;
        this.flushing = locks.flushing();
    }

    /** Lets the log start at {@code to}; an end below moves there. */
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

    /** Frees space before the new file needs any. */
    private void dropSealed() throws IOException {
        long base = state.active().baseOffset;
        if (base > state.start()) {
            dropBelow(base);
        }
    }

    /**
     * A start that is a segment's start needs no checkpoint: that the files below are gone says it. So retention works on
     * a full disk.
     */
    private void dropBelow(long to) throws IOException {
        long base = state.holding(to).baseOffset;
        List<SegmentFile> dropped = state.trimTo(Math.max(state.start(), base));
        delete(dropped);
        syncAfter(dropped);
        if (to > base) {
            noteStart(to);
            state.trimTo(to);
        } else {
            directory.forgetStart();
        }
    }

    /** If there is no space for the note, the log goes on from where it starts. */
    private void noteStart(long to) {
        try {
            directory.noteStart(to);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "that " + directory + " starts at " + to + " cannot be noted: " + failure.getMessage(), failure);
        }
    }

    /** What was deleted stays deleted, whatever becomes of what is done next. */
    private void syncAfter(List<SegmentFile> deleted) throws IOException {
        if (!deleted.isEmpty()) {
            shared.files().syncDirectory(directory.path());
        }
    }

    /** Lets the log end at or below {@code to}, between two batches. */
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
            throw new IOException("a reader has not given back what it reads above " + cut.end() + " for "
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
     * Empties the log; it goes on at {@code offset}, below or above where it was. Forwards, the file that shows the new
     * end is there before the old ones go, from the first on; backwards it would be taken for the start of what is there,
     * so the old ones go before, from the last on.
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
