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
import java.util.Objects;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of a log in memory: its segments, its tail, its offsets, and the lease of its owner. Every method leaves
 * the state consistent.
 *
 * <p>This object's monitor is the log's monitor, the last of the locks in {@link LogLocks}. No file is read or written
 * under the monitor, so appends to the tail and reads from the tail never wait for a disk. The list of segments changes
 * only while the lock {@code settling} is also held: a thread that holds {@code settling} may read the list without the
 * monitor. Any thread may read the offsets.
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
    private long truncations;
    /** Batches appended since the owner's last settle. */
    private int batchesToSettle;

    /** Batches that the owner's last settle wrote together. */
    private int batchesLastSettled;

    private volatile long start;
    private volatile long end;
    private volatile long settled;
    private volatile long flushed;
    private volatile FeliceException reasonUnusable;

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

    // Offsets

    long start() {
        return start;
    }

    long end() {
        return end;
    }

    /** All batches below this offset are in the files. */
    long settled() {
        return settled;
    }

    /** All batches below this offset survive a power cut. */
    long flushed() {
        return flushed;
    }

    synchronized void configure(SegmentSizes newSizes) {
        sizes = newSizes;
    }

    // Owners and failures

    synchronized void lend(long lease) {
        newestLease = Math.max(newestLease, lease);
        handles++;
    }

    /** True if the last handle was released. */
    synchronized boolean release() {
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
        mustBeUsable();
        if (lease < newestLease) {
            throw KAFKA_STORAGE_ERROR.because(id + " has a newer owner");
        }
    }

    void mustBeUsable() {
        FeliceException reason = reasonUnusable;
        if (reason != null) {
            throw reason;
        }
    }

    /** After a failed write the log can still be read. After {@link #retire} it cannot: it has no segments any more. */
    private void mustBeReadable() {
        if (segments.isEmpty()) {
            mustBeUsable();
        }
    }

    /**
     * Why the log can no longer be written: a write failed, or {@link #retire} was called. Null if it can be written.
     */
    FeliceException reasonUnusable() {
        return reasonUnusable;
    }

    /** After a failed write no handle can change the log until it is opened again. Returns the first failure. */
    FeliceException fail(IOException failure) {
        boolean first;
        FeliceException reason;
        synchronized (this) {
            first = reasonUnusable == null;
            if (first) {
                reasonUnusable = KAFKA_STORAGE_ERROR.because(
                        id + " is offline after a failure of its files: " + failure.getMessage(), failure);
            }
            reason = reasonUnusable;
        }
        if (first) {
            shared.counters().failedLogs.increment();
            shared.volumeSpace().pauseZeros();
            logFailure(failure);
        }
        return reason;
    }

    private void logFailure(IOException failure) {
        if (shared.volumeSpace().isNearlyFull()) {
            LOG.warn("{} takes no batches until it is opened again: no disk space ({})", id, failure.toString());
        } else {
            LOG.error("{} is offline until it is opened again: {}", id, failure.toString());
        }
    }

    // Append

    /** Appends to the tail; false if the batch does not fit there, or should be written to the file directly. */
    synchronized boolean append(RecordBatch batch, int size, long lease) {
        mustOwn(lease);
        mustFollow(batch);
        return fits(batch, size) && !shouldBypassTail() && appendToTail(batch, size);
    }

    /**
     * True if the next batch should be written to the file directly. The tail would not help: nobody reads the log, and
     * the owner's last settle wrote a single batch, so the tail would not combine several batches into one write.
     */
    synchronized boolean shouldBypassTail() {
        return batchesLastSettled == 1 && batchesToSettle == 0 && tail.hasNoReader();
    }

    private void mustFollow(RecordBatch batch) {
        if (batch.baseOffset() < end) {
            throw new IllegalArgumentException(batch + " is below the end of " + id + ", " + end);
        }
    }

    private boolean fits(RecordBatch batch, int size) {
        SegmentFile active = segments.active();
        boolean hasRoom = active.size() + size <= sizes.segmentBytes() && active.indexBytes() < sizes.indexBytes();
        return (active.size() == 0 || hasRoom) && batch.lastOffset() - active.baseOffset <= Integer.MAX_VALUE;
    }

    /** False if the active segment must be sealed before the batch can be appended. */
    synchronized boolean fitsActiveSegment(RecordBatch batch, int size) {
        mustFollow(batch);
        return fits(batch, size);
    }

    /**
     * Appends to the tail; false if the batch does not fit into the last buffer and there is no other buffer for it.
     */
    synchronized boolean appendToTail(RecordBatch batch, int size) {
        boolean reserved = tail.reserve(segments.active(), end, size);
        if (reserved) {
            tail.append(batch, size);
            added(batch, size);
        }
        return reserved;
    }

    /** As {@link #appendToTail}, after dropping all batches from the tail; they must be settled. */
    synchronized boolean appendToEmptyTail(RecordBatch batch, int size) {
        tail.dropAll();
        return appendToTail(batch, size);
    }

    /** Notes a batch that was written to the file directly; all earlier batches are settled. */
    synchronized void appendedToFile(RecordBatch batch, int size) {
        tail.noteBypass(size);
        added(batch, size);
        settled = end;
    }

    private void added(RecordBatch batch, int size) {
        batchesToSettle++;
        segments.active().added(batch, size, sizes.indexIntervalBytes());
        end = batch.nextOffset();
    }

    // Settle and flush

    /** Called when a settle begins; false if all batches are in the files already. */
    synchronized boolean mustSettle() {
        mustBeUsable();
        if (batchesToSettle > 0) {
            batchesLastSettled = batchesToSettle;
            batchesToSettle = 0;
        }
        return settled < end;
    }

    /** Begins to settle the first buffer with batches that are not in the file; null if there is none. */
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

    /** The segments that an fsync must cover so that all settled batches survive a power cut. */
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

    /** How many bytes of the segment are in its file. */
    private long settledBytesOf(SegmentFile segment) {
        TailBuffer unsettled = tail.firstUnsettled();
        return unsettled != null && unsettled.segment == segment
                ? unsettled.position + unsettled.settled()
                : segment.size();
    }

    /** When these segments are flushed, all batches below {@code upTo} are. */
    record PendingFlush(long upTo, List<Unforced> segments) {}

    /** A segment, and how many of its bytes are in the file. */
    record Unforced(SegmentFile segment, long bytes) {}

    // Read

    /**
     * Reads batches from {@code at} on if they are in the tail. The result is empty if there are no batches from
     * {@code at} on below {@code limit}, and null if the batches must be read from a file.
     *
     * @param from the offset that the caller asked for; OFFSET_OUT_OF_RANGE if it is no longer in the log
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

    /** Pins the segment file that holds the offset {@code at}. */
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

    /** What the loaded indexes take on the heap. */
    synchronized long indexBytes() {
        return segments.stream()
                .map(SegmentFile::indexIfLoaded)
                .filter(Objects::nonNull)
                .mapToLong(SparseIndex::heapBytes)
                .sum();
    }

    /** All segments; none if there is only the active segment, which always stays in memory. */
    synchronized List<SegmentFile> segmentsToSweep() {
        return segments.isAlone() ? List.of() : segments.snapshot();
    }

    /** The caller has loaded the largest timestamp of every segment. */
    synchronized List<Segment> describeSegments() {
        mustBeReadable();
        return segments.stream().map(segment -> segment.describe(end)).toList();
    }

    // The list of segments; the caller holds the lock settling, so the getters need no monitor

    SegmentFile active() {
        return segments.active();
    }

    SegmentFile first() {
        return segments.first();
    }

    SegmentFile holding(long offset) {
        return segments.holding(offset);
    }

    /** Seals the active segment and adds a new one that begins at the offset {@code base}. */
    synchronized void roll(long base) {
        segments.active().seal(base);
        segments.add(SegmentFile.begin(shared, place, base));
    }

    /** The files of neighbouring sealed segments that a caller got described. */
    synchronized List<SegmentFile> filesOf(List<Segment> described) {
        mustBeUsable();
        List<SegmentFile> files = described.stream()
                .map(one -> segments.holding(one.baseOffset()))
                .toList();
        boolean same = segments.haveSealed(files);
        for (int i = 0; same && i < files.size(); i++) {
            same = files.get(i).baseOffset == described.get(i).baseOffset()
                    && files.get(i).sealedEnd() == described.get(i).nextOffset();
        }
        if (!same) {
            throw OFFSET_OUT_OF_RANGE.because(described + " are no neighbouring sealed segments of " + id);
        }
        return files;
    }

    /** Changes when batches are cut off: a segment may then have other batches than before. */
    synchronized long truncations() {
        return truncations;
    }

    /** @param truncations what {@link #truncations} was when the new segment was begun */
    synchronized void mustStillHave(List<SegmentFile> old, long truncationsThen) {
        if (truncations != truncationsThen || !segments.haveSealed(old)) {
            throw OFFSET_OUT_OF_RANGE.because("the segments of " + id + " from offset " + old.get(0).baseOffset
                    + " on changed while they were replaced");
        }
    }

    synchronized void replace(List<SegmentFile> old, SegmentFile fresh) {
        tail.drop(old);
        segments.replace(old, fresh);
    }

    /** Moves the log's start up to an offset of the log. Drops and returns the segments that are completely below. */
    synchronized List<SegmentFile> trimTo(long to) {
        start = to;
        return segments.dropBefore(segments.holding(to));
    }

    /** Empties the log; its start and end are {@code offset} then. Returns the dropped segments. */
    synchronized List<SegmentFile> startAgainAt(long offset) {
        truncations++;
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

    /**
     * Ends the log at {@code newEnd}, inside a segment that becomes the active one. Drops and returns the later
     * segments.
     */
    synchronized List<SegmentFile> truncateTo(SegmentFile segment, SegmentFile.Cut cut, long newEnd) {
        truncations++;
        tail.dropAll();
        List<SegmentFile> dropped = segments.dropAfter(segment);
        segment.reopenAt(cut);
        end = newEnd;
        settled = newEnd;
        flushed = Math.min(flushed, newEnd);
        return dropped;
    }

    /** Releases the memory of the tail if all batches are in the files. */
    synchronized void dropTailIfSettled() {
        if (settled == end) {
            tail.dropAll();
        }
    }

    /** Makes the log unusable for all its handles. Drops and returns all segments. */
    synchronized List<SegmentFile> retire(FeliceException reason) {
        reasonUnusable = reasonUnusable == null ? reason : reasonUnusable;
        tail.dropAll();
        return segments.dropAll();
    }
}
