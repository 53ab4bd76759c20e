package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What memory knows of a log: its segments, the tail, how far it reaches, and who may change it. Every method is one step
 * from one whole state to the next.
 *
 * <p>Its monitor is the log's, the last of the locks in {@link LogLocks}; no file is touched under it, so appends to the
 * tail and reads from it never wait for a disk. Which segments there are, and which is the active one, is only changed by
 * who also holds {@code settling}: who holds that may look without the monitor. The offsets may be read by anybody.
 */
final class LogState {
    private static final Logger LOG = LoggerFactory.getLogger(LogState.class);

    private final LogId id;
    private final LogResources shared;
    private final Supplier<Path> place;

    private final Segments segments = new Segments();
    private final Tail tail;
    private SegmentSizes sizes = SegmentSizes.DEFAULT;
    private long newestLease = Long.MIN_VALUE;
    private int handles;
    /** Batches appended since the owner settled last, and how many it had settled at once then. */
    private int batchesToSettle;

    private int batchesLastSettled;

    private volatile long start;
    private volatile long end;
    private volatile long settled;
    private volatile long flushed;
    private volatile FeliceException dead;

    private LogState(LogId id, LogResources shared, Supplier<Path> place) {
        this.id = id;
        this.shared = shared;
        this.place = place;
        this.tail = new Tail(shared);
    }

    static LogState empty(LogId id, LogResources shared, Supplier<Path> place) {
        LogState state = new LogState(id, shared, place);
        state.startAgainAt(0);
        return state;
    }

    static LogState recovered(LogId id, LogResources shared, Supplier<Path> place, LogRecovery recovery) {
        LogState state = new LogState(id, shared, place);
        recovery.segments().forEach(state.segments::add);
        state.start = Math.max(recovery.logStart(), state.segments.first().baseOffset);
        state.end = recovery.end();
        state.settled = recovery.end();
        state.flushed = recovery.flushed();
        return state;
    }

    // How far it reaches

    long start() {
        return start;
    }

    long end() {
        return end;
    }

    /** Below it, everything is in the files. */
    long settled() {
        return settled;
    }

    /** Below it, everything survives a power cut. */
    long flushed() {
        return flushed;
    }

    synchronized void configure(SegmentSizes newSizes) {
        sizes = newSizes;
    }

    // Who may change it

    synchronized void lend(long lease) {
        newestLease = Math.max(newestLease, lease);
        handles++;
    }

    /** True if that was the last handle. */
    synchronized boolean giveUp() {
        handles--;
        return handles == 0;
    }

    synchronized long newestLease() {
        return newestLease;
    }

    private synchronized SegmentSizes sizes() {
        return sizes;
    }

    synchronized void inherit(LogState failed) {
        newestLease = failed.newestLease();
        sizes = failed.sizes();
    }

    synchronized void mustOwn(long lease) {
        mustBeAlive();
        if (lease < newestLease) {
            throw KAFKA_STORAGE_ERROR.because(id + " has a newer owner");
        }
    }

    void mustBeAlive() {
        FeliceException reason = dead;
        if (reason != null) {
            throw reason;
        }
    }

    /** A log that failed may still be read; one that was deleted or closed has no files of its own any more. */
    private void mustBeReadable() {
        if (segments.isEmpty()) {
            mustBeAlive();
        }
    }

    /** Why nothing works any more; null while it does. */
    FeliceException causeOfDeath() {
        return dead;
    }

    /** Nobody may change a log whose files have failed. */
    FeliceException die(IOException failure) {
        boolean first;
        FeliceException reason;
        synchronized (this) {
            first = dead == null;
            if (first) {
                dead = KAFKA_STORAGE_ERROR.because(
                        id + " is offline after a failure of its files: " + failure.getMessage(), failure);
            }
            reason = dead;
        }
        if (first) {
            shared.counters().failedLogs.increment();
            shared.volumeSpace().ranOut();
            sayWhy(failure);
        }
        return reason;
    }

    private void sayWhy(IOException failure) {
        if (shared.volumeSpace().isUsedUp()) {
            LOG.warn("{} is not written to until it is opened again, for lack of space: {}", id, failure.toString());
        } else {
            LOG.error("{} goes offline: {}", id, failure.toString());
        }
    }

    // Append

    /** Appends to the tail; false if it does not fit, or if it is best put elsewhere. */
    synchronized boolean append(RecordBatch batch, int size, long lease) {
        mustOwn(lease);
        mustFollow(batch);
        return fits(batch, size) && !isBestWrittenAtOnce() && appendToTail(batch, size);
    }

    /**
     * True if the next batch does better without the tail: nobody reads the log, and batches come one at a time, so that
     * the tail would not make one write of several. What is settled with them tells how they come.
     */
    synchronized boolean isBestWrittenAtOnce() {
        return batchesLastSettled == 1 && batchesToSettle == 0 && tail.isForNobody();
    }

    private void mustFollow(RecordBatch batch) {
        if (batch.baseOffset() < end) {
            throw new IllegalArgumentException(batch + " is below the end of " + id + ", " + end);
        }
    }

    private boolean fits(RecordBatch batch, int size) {
        SegmentFile active = segments.active();
        return (active.size() == 0 || active.size() + size <= sizes.segmentBytes())
                && batch.lastOffset() - active.baseOffset <= Integer.MAX_VALUE;
    }

    /** True if the active segment takes the batch, false if it has to be sealed. */
    synchronized boolean takes(RecordBatch batch, int size) {
        mustFollow(batch);
        return fits(batch, size);
    }

    /** Appends to the tail if the batch fits there, or fits after another buffer was taken. */
    synchronized boolean appendToTail(RecordBatch batch, int size) {
        boolean reserved = tail.reserve(segments.active(), end, size);
        if (reserved) {
            tail.append(batch, size);
            added(batch, size);
        }
        return reserved;
    }

    /** Appends to the tail after everything settled was dropped from it. */
    synchronized boolean appendToEmptyTail(RecordBatch batch, int size) {
        tail.dropAll();
        return appendToTail(batch, size);
    }

    /** Notes a batch that went straight to the file, as everything before it. */
    synchronized void appendedToFile(RecordBatch batch, int size) {
        tail.passBy(size);
        added(batch, size);
        settled = end;
    }

    private void added(RecordBatch batch, int size) {
        batchesToSettle++;
        segments.active().added(batch, size, sizes.indexIntervalBytes());
        end = batch.nextOffset();
    }

    // Settle and flush

    /** The owner settles what it appended; false if all of it is in the files. */
    synchronized boolean mustSettle() {
        mustBeAlive();
        if (batchesToSettle > 0) {
            batchesLastSettled = batchesToSettle;
            batchesToSettle = 0;
        }
        return settled < end;
    }

    /** The first buffer with batches that are not in the file, told to settle those it has; null if there is none. */
    synchronized TailBuffer beginSettling() {
        TailBuffer buffer = tail.firstUnsettled();
        if (buffer != null) {
            buffer.beginSettling();
        }
        return buffer;
    }

    synchronized void endSettling(TailBuffer buffer) {
        settled = buffer.endSettling();
    }

    /** What an fsync has to cover now. */
    synchronized PendingFlush pendingFlush() {
        List<Unforced> unforced = segments.stream()
                .filter(this::needsForce)
                .map(segment -> new Unforced(segment, settledBytesOf(segment)))
                .toList();
        return new PendingFlush(settled, unforced);
    }

    private boolean needsForce(SegmentFile segment) {
        return segment.forcedBytes() < settledBytesOf(segment) || segment.needsIndexFiles();
    }

    synchronized void flushedTo(long offset) {
        flushed = Math.max(flushed, Math.min(offset, end));
    }

    /** Bytes of the segment that are in its file. */
    private long settledBytesOf(SegmentFile segment) {
        TailBuffer unsettled = tail.firstUnsettled();
        return unsettled != null && unsettled.segment == segment
                ? unsettled.position + unsettled.settled()
                : segment.size();
    }

    /** All below {@code upTo} is flushed once these segments are. */
    record PendingFlush(long upTo, List<Unforced> segments) {}

    /** A segment, and how many bytes of it are in its file. */
    record Unforced(SegmentFile segment, long bytes) {}

    // Read

    /**
     * What can be said without a file: the batches from {@code at} on if they are in the tail, nothing if the log has
     * nothing below {@code limit}; null if somebody has to look into a file.
     *
     * @param from where the read began, which must still be in the log
     */
    synchronized Records readFromMemory(long from, long at, long limit, int maxBytes, boolean atLeastOne) {
        mustBeReadable();
        if (from < start || at > end) {
            throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + end + " of " + id);
        }
        if (at >= Math.min(limit, end)) {
            return Records.EMPTY;
        }
        tail.noteReader();
        return tail.read(at, limit, maxBytes, atLeastOne);
    }

    /** Pins the file that {@code at} is in. */
    synchronized SharedFile.Pin pin(long at) {
        SegmentFile segment = segments.holding(at);
        return segment.pin(settledBytesOf(segment), segment.isSealed() ? segment.sealedEnd() : settled);
    }

    synchronized boolean isHot(long from) {
        return from >= end || from < start || tail.holds(from);
    }

    synchronized List<SegmentFile> segments() {
        mustBeReadable();
        return segments.snapshot();
    }

    /** All, unless the active one is alone: that has nothing to let go of. */
    synchronized List<SegmentFile> segmentsToRest() {
        return segments.isAlone() ? List.of() : segments.snapshot();
    }

    /** Their timestamps have been asked for before. */
    synchronized List<Segment> describeSegments() {
        mustBeReadable();
        return segments.stream().map(segment -> segment.describe(end)).toList();
    }

    // Which segments there are; settling is held

    /** Takes no monitor: see above. */
    SegmentFile active() {
        return segments.active();
    }

    /** Takes no monitor: see above. */
    SegmentFile first() {
        return segments.first();
    }

    /** Takes no monitor: see above. */
    SegmentFile holding(long offset) {
        return segments.holding(offset);
    }

    /** Seals the active segment, whose offsets end at {@code base}; the next one begins there. */
    synchronized void roll(long base) {
        segments.active().seal(base);
        segments.add(SegmentFile.begin(shared, place, base));
    }

    /** The file of a sealed segment that a caller got described. */
    synchronized SegmentFile fileOf(Segment described) {
        SegmentFile file = segments.holding(described.baseOffset());
        if (file.baseOffset != described.baseOffset()
                || !file.isSealed()
                || file.sealedEnd() != described.nextOffset()) {
            throw new IllegalArgumentException(described + " is no sealed segment of " + id);
        }
        return file;
    }

    synchronized void replace(SegmentFile old, SegmentFile fresh) {
        tail.dropAll();
        segments.replace(old, fresh);
    }

    /** Lets the log start at an offset it has; the segments wholly below are returned. */
    synchronized List<SegmentFile> trimTo(long to) {
        start = to;
        return segments.dropBefore(segments.holding(to));
    }

    /** Empties the log; it goes on at {@code offset}. The segments it had are returned. */
    synchronized List<SegmentFile> startAgainAt(long offset) {
        tail.dropAll();
        SegmentFile active = segments.active();
        boolean keepsActive = active != null && active.size() == 0 && active.baseOffset == offset;
        List<SegmentFile> dropped = keepsActive ? segments.dropBefore(active) : segments.dropAll();
        if (!keepsActive) {
            segments.add(SegmentFile.begin(shared, place, offset));
        }
        start = offset;
        end = offset;
        settled = offset;
        flushed = offset;
        return dropped;
    }

    /** Lets the log end at {@code newEnd}, within a segment that is the active one now; those above are returned. */
    synchronized List<SegmentFile> truncateTo(SegmentFile segment, SegmentFile.Cut cut, long newEnd) {
        tail.dropAll();
        List<SegmentFile> dropped = segments.dropAfter(segment);
        segment.reopenAt(cut);
        end = newEnd;
        settled = newEnd;
        flushed = Math.min(flushed, newEnd);
        return dropped;
    }

    /** Gives back the memory of the tail, if nothing would be lost. */
    synchronized void dropTailIfSettled() {
        if (settled == end) {
            tail.dropAll();
        }
    }

    /** Leaves a log that nobody can use; the segments it had are returned. */
    synchronized List<SegmentFile> retire(FeliceException reason) {
        dead = dead == null ? reason : dead;
        tail.dropAll();
        return segments.dropAll();
    }
}
