package io.felice.storage.log;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's log: segments, the last of which grows, and a tail in memory.
 *
 * <p>Three locks, taken in this order. {@code settling} is held by whoever writes to the files, also while the disk is
 * slow. {@code flushing} is held during fsyncs, and by who changes which files there are. The monitor guards what memory
 * knows of the log; no file is touched under it, so appends to the tail and reads from it never wait for a disk.
 */
final class SegmentedLog {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentedLog.class);
    private static final long MOST_WAIT_FOR_PINS_MS = 60_000;

    private final LogId id;
    private final LogResources shared;
    private final LogDirectory directory;

    private final ReentrantLock settling = new ReentrantLock();
    private final ReentrantLock flushing = new ReentrantLock();

    private final List<SegmentFile> segments = new ArrayList<>();
    private final Tail tail;
    private SegmentFile active;
    private SegmentSizes sizes = SegmentSizes.DEFAULT;
    private long newestLease = Long.MIN_VALUE;
    private int handles;

    private volatile Path place;
    private volatile boolean placeIsDurable;
    private volatile boolean namesAreDurable;
    private volatile long start;
    private volatile long end;
    private volatile long settled;
    private volatile long flushed;
    private volatile FeliceException dead;

    private List<CompletableFuture<Void>> flushWaiters = new ArrayList<>();
    private boolean flushIsComing;
    private long endAtLastSweep = -1;

    private SegmentedLog(LogId id, LogResources shared, LogDirectory directory) {
        this.id = id;
        this.shared = shared;
        this.directory = directory;
        this.place = directory.placeOf(id);
        this.tail = new Tail(shared);
    }

    // Opening

    /** A log that has no files yet. */
    static SegmentedLog empty(LogId id, LogResources shared, LogDirectory directory) {
        SegmentedLog log = new SegmentedLog(id, shared, directory);
        log.beginAt(0);
        return log;
    }

    /** A log that has files; what was settled last comes back, what was not wholly written is cut off. */
    static SegmentedLog recovered(LogId id, LogResources shared, LogDirectory directory) throws IOException {
        SegmentedLog log = new SegmentedLog(id, shared, directory);
        LogRecovery recovery = new LogRecovery(id, shared, directory, log::placeNow);
        recovery.recover();
        log.begin(recovery);
        return log;
    }

    private void begin(LogRecovery recovery) throws IOException {
        segments.addAll(recovery.segments());
        active = segments.get(segments.size() - 1);
        start = Math.max(recovery.logStart(), segments.get(0).baseOffset);
        end = recovery.end();
        settled = end;
        flushed = recovery.flushed();
        placeIsDurable = flushed > 0;
        if (start > end) {
            startAgainAt(start);
        }
    }

    private void beginAt(long offset) {
        active = SegmentFile.begin(shared, this::placeNow, offset);
        segments.add(active);
        start = offset;
        end = offset;
        settled = offset;
        flushed = offset;
    }

    private Path placeNow() {
        return place;
    }

    LogHandle lend(long lease) {
        settling.lock();
        try {
            synchronized (this) {
                newestLease = Math.max(newestLease, lease);
                handles++;
            }
        } finally {
            settling.unlock();
        }
        return new LogHandle(this, lease);
    }

    synchronized long newestLease() {
        return newestLease;
    }

    synchronized void inherit(SegmentedLog failed) {
        newestLease = failed.newestLease();
        sizes = failed.sizes;
    }

    /** The last handle's close gives back the memory. */
    void giveUp() {
        boolean last;
        synchronized (this) {
            handles--;
            last = handles == 0;
        }
        try {
            settle();
            if (last) {
                dropTail();
            }
        } catch (FeliceException failure) {
            LOG.warn("{} was closed without being settled: {}", id, failure.getMessage());
        }
    }

    // What it is

    LogId id() {
        return id;
    }

    long startOffset() {
        return start;
    }

    long endOffset() {
        return end;
    }

    long settledOffset() {
        return settled;
    }

    long flushedOffset() {
        return flushed;
    }

    boolean isDead() {
        return dead != null;
    }

    Path place() {
        return place;
    }

    synchronized void configure(SegmentSizes newSizes) {
        sizes = newSizes;
    }

    // Append

    void append(RecordBatch batch, long lease) {
        int size = batch.sizeInBytes();
        if (size < RecordBatch.HEADER_BYTES || batch.lastOffsetDelta() < 0) {
            throw new IllegalArgumentException("not a batch: " + batch);
        }
        synchronized (this) {
            mustOwn(lease);
            mustFollow(batch);
            if (fitsIntoActive(batch, size) && tail.makeRoom(active, end, size)) {
                appendToTail(batch, size);
                return;
            }
        }
        appendWithRoom(batch, size, lease);
    }

    private void mustFollow(RecordBatch batch) {
        if (batch.baseOffset() < end) {
            throw new IllegalArgumentException(batch + " is below the end of " + id + ", " + end);
        }
    }

    private boolean fitsIntoActive(RecordBatch batch, int size) {
        return (active.size() == 0 || active.size() + size <= sizes.segmentBytes())
                && batch.lastOffset() - active.baseOffset <= Integer.MAX_VALUE;
    }

    private void appendToTail(RecordBatch batch, int size) {
        tail.append(batch, size);
        added(batch, size);
    }

    private void added(RecordBatch batch, int size) {
        active.added(batch, size, sizes.indexIntervalBytes());
        end = batch.nextOffset();
    }

    /** The rare appends: the first of a segment or buffer that has to be waited for, and those too large for the tail. */
    private void appendWithRoom(RecordBatch batch, int size, long lease) {
        change(lease, () -> {
            boolean fits;
            synchronized (this) {
                mustFollow(batch);
                fits = fitsIntoActive(batch, size);
            }
            if (!fits) {
                seal(batch.lastOffset() - end > Integer.MAX_VALUE ? batch.baseOffset() : end);
            }
            boolean small = size <= shared.tails().largest();
            if (small && appendToTailIfThereIsRoom(batch, size, false)) {
                return;
            }
            settleAll();
            if (!small || !appendToTailIfThereIsRoom(batch, size, true)) {
                writeThrough(batch, size);
            }
        });
    }

    private synchronized boolean appendToTailIfThereIsRoom(RecordBatch batch, int size, boolean startOver) {
        if (startOver) {
            tail.dropAll();
        }
        boolean room = tail.makeRoom(active, end, size);
        if (room) {
            appendToTail(batch, size);
        }
        return room;
    }

    private void writeThrough(RecordBatch batch, int size) throws IOException {
        SegmentFile segment = active;
        write(segment, batch.bytes(), segment.size());
        synchronized (this) {
            added(batch, size);
            settled = end;
        }
    }

    // Settle

    void settle() {
        mustBeAlive();
        if (settled == end) {
            return;
        }
        settling.lock();
        try {
            mustBeAlive();
            settleAll();
        } catch (IOException failure) {
            throw die(failure);
        } finally {
            settling.unlock();
        }
    }

    /** Writes everything appended before the call; {@code settling} is held. */
    private void settleAll() throws IOException {
        long target = end;
        while (settled < target) {
            TailBuffer buffer;
            int from;
            int to;
            long next;
            synchronized (this) {
                buffer = tail.firstUnsettled();
                if (buffer == null) {
                    return;
                }
                from = buffer.settled();
                to = buffer.written();
                next = buffer.nextOffset();
            }
            write(buffer.segment, buffer.unsettled(from, to), buffer.position + from);
            synchronized (this) {
                buffer.settledTo(to);
                settled = next;
            }
        }
    }

    private void write(SegmentFile segment, ByteBuffer bytes, long position) throws IOException {
        int count = bytes.remaining();
        makePlace();
        segment.enter();
        try {
            shared.files().write(segment.channel(true), bytes, position);
        } finally {
            segment.leave();
        }
        if (position == 0) {
            namesAreDurable = false;
        }
        shared.counters().settles.increment();
        shared.counters().bytesWritten.add(count);
    }

    private void makePlace() throws IOException {
        if (place == null) {
            place = directory.create(id);
        }
    }

    /** Makes the active segment's file if it is not there, so that the log's end can be seen on disk. */
    private void makeActiveFile() throws IOException {
        makePlace();
        active.enter();
        try {
            active.channel(true);
        } finally {
            active.leave();
        }
        namesAreDurable = false;
        makePlaceDurable();
    }

    private void makePlaceDurable() throws IOException {
        sync(this::syncPlace);
    }

    /** Runs an fsync; if it fails, nothing that was written since the last one may be on the disk. */
    private void sync(Change fsync) throws IOException {
        try {
            fsync.run();
        } catch (IOException failure) {
            directory.doubt(id);
            throw failure;
        }
    }

    private void syncPlace() throws IOException {
        Path now = place;
        if (!placeIsDurable) {
            directory.sync(now);
            placeIsDurable = true;
        }
        if (!namesAreDurable) {
            namesAreDurable = true;
            shared.files().syncDirectory(now);
        }
    }

    // Flush

    CompletionStage<Void> flush(long upTo) {
        if (dead != null) {
            return CompletableFuture.failedStage(dead);
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        synchronized (this) {
            if (flushed >= Math.min(upTo, end)) {
                done.complete(null);
                return done;
            }
            flushWaiters.add(done);
        }
        flushSoon();
        return done;
    }

    private void flushSoon() {
        synchronized (this) {
            if (flushIsComing) {
                return;
            }
            flushIsComing = true;
        }
        try {
            shared.flusher().execute(this::flushForAll);
        } catch (RejectedExecutionException stopped) {
            flushForAll();
        }
    }

    /** One fsync answers everybody who asked before it began. */
    private void flushForAll() {
        List<CompletableFuture<Void>> waiters;
        synchronized (this) {
            flushIsComing = false;
            waiters = flushWaiters;
            flushWaiters = new ArrayList<>();
        }
        try {
            flushNow();
            waiters.forEach(waiter -> waiter.complete(null));
        } catch (RuntimeException | Error failure) {
            waiters.forEach(waiter -> waiter.completeExceptionally(failure));
        }
    }

    /** Everything appended before the call survives a power cut on return. */
    void flushNow() {
        settle();
        flushing.lock();
        try {
            mustBeAlive();
            long target;
            List<SegmentFile> unforced;
            List<Long> sizesNow = new ArrayList<>();
            synchronized (this) {
                target = settled;
                unforced = segments.stream().filter(this::needsForce).toList();
                unforced.forEach(segment -> sizesNow.add(settledBytesOf(segment)));
            }
            for (int i = 0; i < unforced.size(); i++) {
                force(unforced.get(i), sizesNow.get(i));
            }
            if (!unforced.isEmpty()) {
                makePlaceDurable();
            }
            synchronized (this) {
                flushed = Math.max(flushed, Math.min(target, end));
            }
            noteRecoveryPoint();
        } catch (IOException failure) {
            throw die(failure);
        } finally {
            flushing.unlock();
        }
    }

    private boolean needsForce(SegmentFile segment) {
        return segment.forcedBytes() < settledBytesOf(segment) || segment.needsIndexFiles();
    }

    private void force(SegmentFile segment, long bytes) throws IOException {
        segment.enter();
        try {
            if (!segment.isRetired()) {
                segment.persistIndex();
                sync(() -> shared.files().force(segment.channel(false)));
                shared.counters().fsyncs.increment();
                segment.forcedTo(bytes);
            }
        } catch (IOException failure) {
            if (!segment.isRetired()) {
                throw failure;
            }
        } finally {
            segment.leave();
        }
    }

    private void noteRecoveryPoint() {
        if (place != null) {
            directory.recoveryPoints().put(LogDirectory.keyOf(place), flushed);
        }
    }

    // Read

    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        long at = from;
        while (true) {
            SegmentFile.Pin pin;
            SegmentFile segment;
            long readable;
            long next;
            synchronized (this) {
                mustBeReadable();
                if (from < start || at > end) {
                    throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + end + " of " + id);
                }
                if (at >= Math.min(limit, end)) {
                    return Records.EMPTY;
                }
                Records hot = tail.read(at, limit, maxBytes, atLeastOne);
                if (hot != null) {
                    return hot;
                }
                int index = indexOfSegment(at);
                segment = segments.get(index);
                readable = settledBytesOf(segment);
                next = segment == active ? settled : segments.get(index + 1).baseOffset;
                pin = segment.pin();
            }
            Records cold = readFile(segment, pin, readable, next, at, limit, maxBytes, atLeastOne);
            if (cold != null) {
                return cold;
            }
            at = segment.isRetired() ? at : Math.max(at, next);
        }
    }

    /**
     * Null if no batch from {@code from} on is in this file; the pin is given back then. Bytes that are wrong fail this
     * read only: an old damage must not keep a log from being written.
     */
    private Records readFile(
            SegmentFile segment,
            SegmentFile.Pin pin,
            long readable,
            long next,
            long from,
            long limit,
            int maxBytes,
            boolean atLeastOne) {
        boolean given = false;
        try {
            FileChannel channel = segment.channel(false);
            BatchScan scan = segment.scan();
            long position = segment.find(scan, from, readable);
            if (position == readable) {
                return null;
            }
            long left = readable - position;
            int length = left <= maxBytes && limit >= next
                    ? (int) left
                    : segment.bytesBelow(scan, limit, position, maxBytes, atLeastOne, readable);
            if (length == 0) {
                return Records.EMPTY;
            }
            pin.narrow(position, length);
            given = true;
            return new Records.InFile(channel, position, length, pin);
        } catch (SegmentFile.Damaged damage) {
            if (segment.isRetired()) {
                return null;
            }
            throw CORRUPT_MESSAGE.because(
                    id + " cannot be read at offset " + from + ": " + damage.getMessage(), damage);
        } catch (IOException failure) {
            if (segment.isRetired()) {
                return null;
            }
            throw die(failure);
        } finally {
            if (!given) {
                pin.run();
            }
        }
    }

    private int indexOfSegment(long offset) {
        int low = 0;
        int high = segments.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (segments.get(middle).baseOffset <= offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return Math.max(0, low - 1);
    }

    /** Bytes of the segment that are in its file. */
    private long settledBytesOf(SegmentFile segment) {
        TailBuffer unsettled = tail.firstUnsettled();
        return unsettled != null && unsettled.segment == segment
                ? unsettled.position + unsettled.settled()
                : segment.size();
    }

    synchronized boolean isHot(long from) {
        return from >= end || from < start || tail.holds(from);
    }

    List<Segment> segments() {
        segmentsNow().forEach(this::maxTimestampOf);
        synchronized (this) {
            mustBeReadable();
            return segments.stream().map(segment -> segment.describe(end)).toList();
        }
    }

    private synchronized List<SegmentFile> segmentsNow() {
        mustBeReadable();
        return List.copyOf(segments);
    }

    /** May load the segment's index; -1 for one that was dropped meanwhile. */
    private long maxTimestampOf(SegmentFile segment) {
        try {
            return segment.maxTimestamp();
        } catch (IOException failure) {
            if (segment.isRetired()) {
                return RecordBatch.NO_TIMESTAMP;
            }
            throw die(failure);
        }
    }

    long scanStartFor(long timestamp) {
        for (SegmentFile segment : segmentsNow()) {
            if (maxTimestampOf(segment) >= timestamp) {
                return Math.min(end, Math.max(start, scanStartIn(segment, timestamp)));
            }
        }
        return end;
    }

    private long scanStartIn(SegmentFile segment, long timestamp) {
        try {
            return segment.index().offsetBefore(timestamp);
        } catch (IOException failure) {
            if (segment.isRetired()) {
                return segment.baseOffset;
            }
            throw die(failure);
        }
    }

    // Segments

    void roll(long lease) {
        change(lease, () -> {
            if (active.size() > 0) {
                seal(end);
            }
        });
    }

    /** Seals the active segment and starts one at {@code base}. */
    private void seal(long base) throws IOException {
        settleAll();
        boolean wasEmpty = active.size() == 0;
        if (wasEmpty) {
            makeActiveFile();
        }
        synchronized (this) {
            active.seal(base);
            active = SegmentFile.begin(shared, this::placeNow, base);
            segments.add(active);
        }
        if (!wasEmpty) {
            flushSoon();
        }
    }

    void replace(Segment old, Iterator<RecordBatch> compacted, long lease) {
        SegmentFile replaced;
        synchronized (this) {
            mustOwn(lease);
            replaced = segments.get(indexOfSegment(old.baseOffset()));
            int after = segments.indexOf(replaced) + 1;
            if (replaced.baseOffset != old.baseOffset()
                    || !replaced.isSealed()
                    || segments.get(after).baseOffset != old.nextOffset()) {
                throw new IllegalArgumentException(old + " is no sealed segment of " + id);
            }
        }
        SegmentFile fresh;
        try {
            fresh = SegmentFile.compacted(replaced, compacted);
        } catch (IOException failure) {
            throw die(failure);
        }
        try {
            change(lease, () -> putInPlaceOf(replaced, fresh));
        } catch (FeliceException failure) {
            fresh.retire();
            throw failure;
        }
    }

    private void putInPlaceOf(SegmentFile replaced, SegmentFile fresh) throws IOException {
        flushing.lock();
        try {
            settleAll();
            makeActiveFile();
            fresh.takePlaceOf(replaced);
            synchronized (this) {
                tail.dropAll();
                segments.set(segments.indexOf(replaced), fresh);
            }
            replaced.retire();
            fresh.persistIndex();
        } finally {
            flushing.unlock();
        }
    }

    void trimTo(long to, long lease) {
        change(lease, () -> {
            if (to <= start) {
                return;
            }
            flushing.lock();
            try {
                settleAll();
                if (to >= end) {
                    startAgainAt(to);
                } else {
                    dropBelow(to);
                }
            } finally {
                flushing.unlock();
            }
        });
    }

    /**
     * A start that is a segment's start needs no checkpoint: that the files below are gone says it. So retention works on
     * a full disk.
     */
    private void dropBelow(long to) throws IOException {
        List<SegmentFile> dropped;
        synchronized (this) {
            start = to;
            List<SegmentFile> below = segments.subList(0, indexOfSegment(to));
            dropped = List.copyOf(below);
            below.clear();
        }
        for (SegmentFile segment : dropped) {
            segment.retire();
            segment.delete();
        }
        if (!dropped.isEmpty()) {
            shared.files().syncDirectory(place);
        }
        if (to > segments.get(0).baseOffset) {
            directory.logStarts().put(LogDirectory.keyOf(place), to);
            directory.logStarts().write();
        } else {
            directory.logStarts().remove(LogDirectory.keyOf(place));
        }
    }

    /** Empties the log; it goes on at {@code offset}, below or above where it was. */
    private void startAgainAt(long offset) throws IOException {
        makePlace();
        String key = LogDirectory.keyOf(place);
        boolean backwards = offset < end;
        if (directory.logStarts().onDisk(key) > offset) {
            directory.logStarts().remove(key);
            directory.logStarts().write();
        }
        lowerRecoveryPoint(offset);
        List<SegmentFile> dropped;
        synchronized (this) {
            boolean keepsActive = active.size() == 0 && active.baseOffset == offset;
            List<SegmentFile> old = keepsActive ? segments.subList(0, segments.size() - 1) : segments;
            dropped = new ArrayList<>(old);
            old.clear();
            tail.dropAll();
            if (!keepsActive) {
                active = SegmentFile.begin(shared, this::placeNow, offset);
                segments.add(active);
            }
            start = offset;
            end = offset;
            settled = offset;
            flushed = offset;
        }
        boolean sameName = dropped.stream().anyMatch(segment -> segment.baseOffset == offset);
        if (!backwards && !sameName) {
            makeActiveFile();
        }
        for (int i = 0; i < dropped.size(); i++) {
            SegmentFile segment = dropped.get(backwards || sameName ? dropped.size() - 1 - i : i);
            segment.retire();
            segment.delete();
        }
        makeActiveFile();
        noteRecoveryPoint();
    }

    private void lowerRecoveryPoint(long to) throws IOException {
        if (place == null) {
            return;
        }
        String key = LogDirectory.keyOf(place);
        directory.recoveryPoints().put(key, Math.min(directory.recoveryPoints().get(key, to), to));
        if (directory.recoveryPoints().onDisk(key) > to) {
            directory.recoveryPoints().write();
        }
    }

    void truncateTo(long to, long lease) {
        change(lease, () -> {
            if (to >= end) {
                return;
            }
            flushing.lock();
            try {
                settleAll();
                if (to < start) {
                    startAgainAt(to);
                } else {
                    cutOff(to);
                }
            } finally {
                flushing.unlock();
            }
        });
    }

    private void cutOff(long to) throws IOException {
        SegmentFile segment = segments.get(indexOfSegment(to));
        if (segment == active && segment.size() == 0) {
            return;
        }
        segment.enter();
        try {
            SegmentFile.Cut cut = segment.cutAt(to);
            long newEnd = Math.max(start, cut.end());
            lowerRecoveryPoint(newEnd);
            List<SegmentFile> dropped;
            synchronized (this) {
                List<SegmentFile> above = segments.subList(segments.indexOf(segment) + 1, segments.size());
                dropped = List.copyOf(above);
                above.clear();
                tail.dropAll();
                segment.reopenAt(cut);
                active = segment;
                end = newEnd;
                settled = newEnd;
                flushed = Math.min(flushed, newEnd);
            }
            for (int i = dropped.size() - 1; i >= 0; i--) {
                dropped.get(i).retire();
                dropped.get(i).delete();
            }
            shorten(segment, cut);
        } finally {
            segment.leave();
        }
        if (end == start && active.baseOffset < start) {
            startAgainAt(start);
        }
    }

    private void shorten(SegmentFile segment, SegmentFile.Cut cut) throws IOException {
        if (!awaitPins(segment, cut.position())) {
            throw new IOException("a reader has not given back what it reads above " + cut.end() + " for "
                    + MOST_WAIT_FOR_PINS_MS + " ms");
        }
        segment.deleteIndexFiles();
        shared.files().truncate(segment.channel(true), cut.position());
        sync(() -> {
            shared.files().force(segment.channel(true));
            shared.files().syncDirectory(place);
        });
    }

    private static boolean awaitPins(SegmentFile segment, long position) throws IOException {
        try {
            return segment.awaitPinsBelow(position, MOST_WAIT_FOR_PINS_MS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for readers", interrupted);
        }
    }

    // Leases and failures

    /** Something that touches files and may fail. */
    private interface Change {
        void run() throws IOException;
    }

    /** Runs a change of the owner of {@code lease}; the lease cannot grow meanwhile, and a failure kills the log. */
    private void change(long lease, Change change) {
        settling.lock();
        try {
            synchronized (this) {
                mustOwn(lease);
            }
            change.run();
        } catch (IOException failure) {
            throw die(failure);
        } catch (UncheckedIOException failure) {
            throw die(failure.getCause());
        } finally {
            settling.unlock();
        }
    }

    private void mustOwn(long lease) {
        mustBeAlive();
        if (lease < newestLease) {
            throw KAFKA_STORAGE_ERROR.because(id + " has a newer owner");
        }
    }

    private void mustBeAlive() {
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

    private FeliceException die(IOException failure) {
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
            LOG.error("{} goes offline: {}", id, failure.toString());
        }
        return reason;
    }

    /** Ends this object's use of the files; pinned ones close with their readers. */
    void retire(String why) {
        settling.lock();
        flushing.lock();
        try {
            List<SegmentFile> retired;
            List<CompletableFuture<Void>> waiters;
            FeliceException reason = KAFKA_STORAGE_ERROR.because(id + " " + why);
            synchronized (this) {
                dead = dead == null ? reason : dead;
                retired = List.copyOf(segments);
                segments.clear();
                tail.dropAll();
                waiters = flushWaiters;
                flushWaiters = new ArrayList<>();
            }
            retired.forEach(SegmentFile::retire);
            waiters.forEach(waiter -> waiter.completeExceptionally(reason));
        } finally {
            flushing.unlock();
            settling.unlock();
        }
    }

    /** Settles, flushes and writes the last index; true if all that worked and the next start needs no scan. */
    boolean closeCleanly() {
        try {
            flushNow();
            flushing.lock();
            try {
                active.persistActiveIndex();
            } finally {
                flushing.unlock();
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
        settling.lock();
        flushing.lock();
        try {
            if (place != null) {
                place = directory.makeStray(id);
            }
        } finally {
            flushing.unlock();
            settling.unlock();
        }
    }

    /** Gives back the memory of a log that nobody wrote to since the last sweep, and of segments that nobody read. */
    void sweep() {
        boolean idle = end == endAtLastSweep;
        endAtLastSweep = end;
        if (dead != null) {
            return;
        }
        try {
            if (idle) {
                settle();
                dropTail();
            }
            restSegments();
        } catch (FeliceException failure) {
            LOG.debug("{} was not swept: {}", id, failure.getMessage());
        }
    }

    private synchronized void dropTail() {
        if (settled == end) {
            tail.dropAll();
        }
    }

    private void restSegments() {
        if (!settling.tryLock()) {
            return;
        }
        try {
            List<SegmentFile> now;
            synchronized (this) {
                now = segments.size() == 1 ? List.of() : List.copyOf(segments);
            }
            now.forEach(SegmentFile::rest);
        } finally {
            settling.unlock();
        }
    }
}
