package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's log: segments, the last of which grows, and a tail in memory.
 *
 * <p>What it knows is in {@link LogState}, whose monitor is all that an append to the tail or a read from it takes. Files
 * are written by {@link LogWriter}, flushed by {@link LogFlusher}, shortened by {@link LogTruncation} and read by
 * {@link LogReader}; {@link LogLocks} says in which order locks are taken.
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
    private final LogTruncation truncation;
    private final LogReader reader;
    private long endAtLastSweep = -1;
    private long endAtLastLook = -1;

    private SegmentedLog(LogId id, LogResources shared, PartitionDirectory directory, LogState state) {
        this.id = id;
        this.shared = shared;
        this.directory = directory;
        this.state = state;
        this.writer = new LogWriter(shared, state, directory, locks);
        this.flusher = new LogFlusher(shared, state, directory, writer, locks);
        this.truncation = new LogTruncation(shared, state, directory, writer, locks);
        this.reader = new LogReader(id, state);
    }

    /** A log that has no files yet. */
    static SegmentedLog empty(LogId id, LogResources shared, LogDirectory all) {
        PartitionDirectory directory = new PartitionDirectory(id, shared.files(), all);
        return new SegmentedLog(id, shared, directory, LogState.empty(id, shared, directory::path));
    }

    /** A log that has files; what was settled last comes back, what was not wholly written is cut off. */
    static SegmentedLog recovered(LogId id, LogResources shared, LogDirectory all) throws IOException {
        PartitionDirectory directory = new PartitionDirectory(id, shared.files(), all);
        LogRecovery recovery = new LogRecovery(id, shared, all, directory::path);
        recovery.recover();
        directory.lowerRecoveryPoint(recovery.end());
        if (recovery.flushed() > 0) {
            directory.isKnownDurable();
        }
        LogState state = LogState.recovered(id, shared, directory::path, recovery);
        SegmentedLog log = new SegmentedLog(id, shared, directory, state);
        if (state.start() > state.end()) {
            log.truncation.startAgainAt(state.start());
        }
        return log;
    }

    // Its owners

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

    /** The last handle's close gives back the memory. */
    void giveUp() {
        boolean last = state.giveUp();
        try {
            settle();
            if (last) {
                state.dropTailIfSettled();
            }
        } catch (FeliceException failure) {
            LOG.warn("{} was closed without being settled: {}", id, failure.getMessage());
        }
    }

    boolean isDead() {
        return state.causeOfDeath() != null;
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
        return state.causeOfDeath() != null;
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
     * The appends that do more than copy to the tail: the first of a segment or buffer that has to be waited for, those
     * too large for the tail, and those that it would not help.
     */
    private void appendSettling(RecordBatch batch, int size) throws IOException {
        if (!state.takes(batch, size)) {
            long end = state.end();
            seal(batch.lastOffset() - end > Integer.MAX_VALUE ? batch.baseOffset() : end);
        }
        boolean atOnce = size > shared.tails().largest() || state.isBestWrittenAtOnce();
        if (!atOnce && state.appendToTail(batch, size)) {
            return;
        }
        writer.settleAll();
        if (atOnce || !state.appendToEmptyTail(batch, size)) {
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

    /** Seals the active segment and starts one at {@code base}. */
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
        writer.change(lease, () -> truncation.trimTo(to));
    }

    void truncateTo(long to, long lease) {
        writer.change(lease, () -> truncation.truncateTo(to));
    }

    void replace(Segment old, Iterator<RecordBatch> compacted, long lease) {
        state.mustOwn(lease);
        SegmentFile replaced = state.fileOf(old);
        SegmentFile fresh;
        try {
            fresh = SegmentFile.compacted(replaced, compacted);
        } catch (IOException failure) {
            throw state.die(failure);
        }
        try {
            writer.change(lease, () -> putInPlaceOf(replaced, fresh));
        } catch (FeliceException failure) {
            fresh.retire();
            throw failure;
        }
    }

    private void putInPlaceOf(SegmentFile replaced, SegmentFile fresh) throws IOException {
        locks.flushing().lock();
        try {
            writer.settleAll();
            writer.makeActiveFile();
            fresh.takePlaceOf(replaced);
            state.replace(replaced, fresh);
            replaced.retire();
            fresh.persistIndex();
        } finally {
            locks.flushing().unlock();
        }
    }

    // The engine's part

    /** Ends this object's use of the files; pinned ones close with their readers. */
    void retire(String why) {
        FeliceException reason = KAFKA_STORAGE_ERROR.because(id + " " + why);
        locks.settling().lock();
        locks.flushing().lock();
        try {
            state.retire(reason).forEach(SegmentFile::retire);
            flusher.fail(reason);
        } finally {
            locks.flushing().unlock();
            locks.settling().unlock();
        }
    }

    /** Settles, flushes and writes the last index; true if all that worked and the next start needs no scan. */
    boolean closeCleanly() {
        try {
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
            LOG.warn("{} was closed without being flushed: {}", id, failure.getMessage());
            return false;
        } finally {
            retire("belongs to an engine that was stopped");
        }
    }

    /** Moves the log's directory aside for a newer topic of that name. */
    void makeStray() throws IOException {
        locks.settling().lock();
        locks.flushing().lock();
        try {
            directory.moveAside();
        } finally {
            locks.flushing().unlock();
            locks.settling().unlock();
        }
    }

    /** Gives back the memory of a log that nobody wrote to since the last sweep, and of segments that nobody read. */
    void sweep() {
        boolean idle = state.end() == endAtLastSweep;
        endAtLastSweep = state.end();
        if (isDead()) {
            return;
        }
        try {
            if (idle) {
                settle();
                state.dropTailIfSettled();
            }
            restSegments();
        } catch (FeliceException failure) {
            LOG.debug("{} was not swept: {}", id, failure.getMessage());
        }
    }

    /** Lets the file of a log that nobody wrote to since the last look end with its last batch. */
    void cutOffZerosIfIdle() {
        boolean idle = state.end() == endAtLastLook;
        endAtLastLook = state.end();
        if (idle && writer.hasZeros() && !isDead()) {
            try {
                writer.cutOffZerosWhenSettled();
            } catch (FeliceException failure) {
                LOG.debug("{} keeps the zeros behind its batches: {}", id, failure.getMessage());
            }
        }
    }

    private void restSegments() {
        if (locks.settling().tryLock()) {
            try {
                state.segmentsToRest().forEach(SegmentFile::rest);
            } finally {
                locks.settling().unlock();
            }
        }
    }
}
