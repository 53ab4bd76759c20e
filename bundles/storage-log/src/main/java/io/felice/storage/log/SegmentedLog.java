package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of one partition: segment files, and a tail in memory that holds the newest batches. Owners use it through a
 * {@link LogHandle}.
 *
 * <p>{@link LogState} has the state in memory; an append to the tail or a read from the tail takes only its monitor.
 * {@link LogWriter} writes the files, {@link LogFlusher} flushes, {@link LogTruncation} shortens and {@link LogReader}
 * reads them; {@link LogLocks} has the order of the locks.
 */
final class SegmentedLog {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentedLog.class);

    private final LogId id;
    private final LogResources shared;
    private final PartitionDirectory directory;
    private final LogState state;
    private final LogLocks locks = new LogLocks();
    private final LogWriter writer;
    private final LogFlusher flusher;
    private final DeletedSegments deletedSegments;
    private final LogTruncation truncation;
    private final LogReader reader;
    private final LogReplacements replacements;
    private long endAtLastSweep = -1;
    private long endAtLastIdleCheck = -1;

    private SegmentedLog(LogId id, LogResources shared, PartitionDirectory directory, LogState state) {
        this.id = id;
        this.shared = shared;
        this.directory = directory;
        this.state = state;
        this.writer = new LogWriter(shared, state, directory, locks);
        this.flusher = new LogFlusher(shared, state, directory, writer, locks);
        this.deletedSegments = new DeletedSegments(shared, directory::path);
        this.truncation = new LogTruncation(shared, state, directory, writer, deletedSegments, locks);
        this.reader = new LogReader(id, state);
        this.replacements = new LogReplacements(shared, state, directory, writer, locks);
    }

    /** A log that has no files yet. */
    static SegmentedLog empty(LogId id, LogResources shared, LogDirectory all) {
        PartitionDirectory directory = new PartitionDirectory(id, shared.files(), all);
        return new SegmentedLog(id, shared, directory, LogState.empty(id, shared, directory::path));
    }

    /** Recovers a log from its files: keeps all whole batches, and cuts off a batch that was written only in part. */
    static SegmentedLog recovered(LogId id, LogResources shared, LogDirectory all) throws IOException {
        PartitionDirectory directory = new PartitionDirectory(id, shared.files(), all);
        LogRecovery recovery = new LogRecovery(id, shared, all, directory::path);
        recovery.recover();
        directory.lowerRecoveryPoint(recovery.end());
        if (recovery.flushed() > 0) {
            directory.markDurable();
        }
        LogState state = LogState.recovered(id, shared, directory::path, recovery);
        SegmentedLog log = new SegmentedLog(id, shared, directory, state);
        if (state.start() > state.end()) {
            log.truncation.startAgainAt(state.start());
        }
        return log;
    }

    // Owners

    LogHandle lend(long lease) {
        locks.settling().lock();
        try {
            state.lend(lease);
        } finally {
            locks.settling().unlock();
        }
        return new LogHandle(this, lease);
    }

    void inherit(SegmentedLog failed) {
        state.inherit(failed.state);
    }

    /** Called when a handle is closed: settles, and the last handle releases the memory of the tail. */
    void release() {
        boolean last = state.release();
        try {
            settle();
            if (last) {
                state.dropTailIfSettled();
            }
        } catch (FeliceException failure) {
            LOG.warn("{} was closed before all its batches were written: {}", id, failure.getMessage());
        }
    }

    void deleteFilesAfter(Duration delay) {
        deletedSegments.delay(delay);
    }

    /** How many files of dropped segments wait to be deleted. */
    int filesToDelete() {
        return deletedSegments.waiting();
    }

    void configure(SegmentSizes sizes) {
        state.configure(sizes);
    }

    // Offsets

    long startOffset() {
        return state.start();
    }

    long endOffset() {
        return state.end();
    }

    boolean hasFailed() {
        return state.reasonUnusable() != null;
    }

    long settledOffset() {
        return state.settled();
    }

    long flushedOffset() {
        return state.flushed();
    }

    // Append

    void append(RecordBatch batch, long lease) {
        int size = batch.sizeInBytes();
        if (size < RecordBatch.HEADER_BYTES || batch.lastOffsetDelta() < 0) {
            throw new IllegalArgumentException("not a batch: " + batch);
        }
        if (!state.append(batch, size, lease)) {
            writer.change(lease, () -> appendSettling(batch, size));
        }
    }

    /**
     * Appends a batch that cannot simply be copied to the tail: the active segment or the tail is full, the batch is
     * larger than a buffer of the tail, or the batch should be written to the file directly.
     */
    private void appendSettling(RecordBatch batch, int size) throws IOException {
        if (!state.fitsActiveSegment(batch, size)) {
            long end = state.end();
            seal(batch.lastOffset() - end > Integer.MAX_VALUE ? batch.baseOffset() : end);
        }
        boolean bypassesTail = size > shared.tails().largest() || state.shouldBypassTail();
        if (!bypassesTail && state.appendToTail(batch, size)) {
            return;
        }
        writer.settleAll();
        if (bypassesTail || !state.appendToEmptyTail(batch, size)) {
            writer.writeThrough(batch, size);
        }
    }

    void settle() {
        writer.settle();
    }

    CompletionStage<Void> flush(long upTo) {
        return flusher.flush(upTo);
    }

    // Read

    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        return reader.read(from, limit, maxBytes, atLeastOne);
    }

    boolean isHot(long from) {
        return state.isHot(from);
    }

    List<Segment> segments() {
        return reader.segments();
    }

    long scanStartFor(long timestamp) {
        return reader.scanStartFor(timestamp);
    }

    // Segments

    void roll(long lease) {
        writer.change(lease, () -> {
            if (state.active().size() > 0) {
                seal(state.end());
            }
        });
    }

    /** Seals the active segment and begins a new one at the offset {@code base}. */
    private void seal(long base) throws IOException {
        writer.settleAll();
        writer.cutOffZeros();
        boolean wasEmpty = state.active().size() == 0;
        if (wasEmpty) {
            writer.makeActiveFile();
        }
        state.roll(base);
        if (!wasEmpty) {
            flusher.flushSoon();
        }
    }

    void trimTo(long to, long lease) {
        replacements.finish();
        writer.change(lease, () -> truncation.trimTo(to));
    }

    void truncateTo(long to, long lease) {
        replacements.finish();
        writer.change(lease, () -> truncation.truncateTo(to));
    }

    Replacement replace(List<Segment> old, long lease) {
        return replacements.begin(old, lease);
    }

    // Called by the engine

    /** Closes the files, pinned ones when their readers have closed them. All later calls fail with {@code why}. */
    void retire(String why) {
        FeliceException reason = KAFKA_STORAGE_ERROR.because(id + " " + why);
        locks.replacing().lock();
        locks.settling().lock();
        locks.flushing().lock();
        try {
            state.retire(reason).forEach(SegmentFile::retire);
            flusher.fail(reason);
        } finally {
            locks.flushing().unlock();
            locks.settling().unlock();
            locks.replacing().unlock();
        }
    }

    /**
     * Settles, flushes and writes the active segment's index. True if this worked, so that the next start needs no
     * scan.
     */
    boolean closeCleanly() {
        try {
            replacements.finish();
            writer.cutOffZerosWhenSettled();
            flusher.flushNow();
            locks.flushing().lock();
            try {
                state.active().persistActiveIndex();
            } finally {
                locks.flushing().unlock();
            }
            return true;
        } catch (FeliceException failure) {
            LOG.warn("{} was closed before all its batches were flushed: {}", id, failure.getMessage());
            return false;
        } finally {
            retire("belongs to an engine that was stopped");
        }
    }

    /** Renames the log's directory to that of a stray log. */
    void makeStray() throws IOException {
        locks.replacing().lock();
        locks.settling().lock();
        locks.flushing().lock();
        try {
            directory.moveAside();
        } finally {
            locks.flushing().unlock();
            locks.settling().unlock();
            locks.replacing().unlock();
        }
    }

    /** Releases the tail if nothing was appended since the last sweep, and the indexes of segments that nobody used. */
    void sweep() {
        boolean idle = state.end() == endAtLastSweep;
        endAtLastSweep = state.end();
        deletedSegments.deleteDue();
        if (hasFailed()) {
            return;
        }
        try {
            if (idle) {
                settle();
                state.dropTailIfSettled();
            }
            releaseIdleSegments();
        } catch (FeliceException failure) {
            LOG.debug("{} was not swept: {}", id, failure.getMessage());
        }
    }

    /** What the loaded indexes of its segments take on the heap. */
    long indexBytes() {
        return state.indexBytes();
    }

    /** Cuts off the zeros behind the last batch if nothing was appended since the last call. */
    void cutOffZerosIfIdle() {
        boolean idle = state.end() == endAtLastIdleCheck;
        endAtLastIdleCheck = state.end();
        if (idle && writer.hasZeros() && !hasFailed()) {
            try {
                writer.cutOffZerosWhenSettled();
            } catch (FeliceException failure) {
                LOG.debug("{} keeps the zeros behind its batches: {}", id, failure.getMessage());
            }
        }
    }

    private void releaseIdleSegments() {
        if (locks.settling().tryLock()) {
            try {
                state.segmentsToSweep().forEach(SegmentFile::releaseIfIdle);
            } finally {
                locks.settling().unlock();
            }
        }
    }
}
