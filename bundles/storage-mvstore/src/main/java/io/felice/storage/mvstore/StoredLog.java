package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One log of a shard. An append goes to memory only; the shard's thread puts the batches into the store file and commits
 * them with those of the shard's other logs. Truncating and trimming change only what the newest store file says of the
 * log's segments, in one commit, also if the segments are in several files.
 *
 * <p>Its monitor guards what memory knows; no file is touched under it.
 */
final class StoredLog {
    /** For how long after a read the newest batches are kept in memory, in milliseconds. */
    private static final long READER_MS = 10_000;

    private final LogId id;
    private final int number;
    private final StoreShard shard;
    private final StoreResources shared;

    // Guarded by this.
    private final List<StoredSegment> segments = new ArrayList<>();
    private final RecentBatches recent = new RecentBatches();
    private final PriorityQueue<Waiter> waiters = new PriorityQueue<>();
    /** Segments of which the store file does not know yet that they are sealed. */
    private final Set<StoredSegment> unsaved = new LinkedHashSet<>();

    private SegmentSizes sizes = SegmentSizes.DEFAULT;
    private long newestLease = Long.MIN_VALUE;
    private boolean queued;
    private boolean saved;
    private boolean setAside;

    private volatile long start;
    private volatile long end;
    private volatile long settled;
    private volatile long flushed;
    private volatile long lastRead;
    private volatile FeliceException dead;

    /** Waits until the log is settled up to an offset. */
    private record Waiter(long upTo, CompletableFuture<Void> done) implements Comparable<Waiter> {
        @Override
        public int compareTo(Waiter other) {
            return Long.compare(upTo, other.upTo);
        }
    }

    StoredLog(LogId id, int number, StoreShard shard, StoreResources shared) {
        this.id = id;
        this.number = number;
        this.shard = shard;
        this.shared = shared;
        segments.add(fresh(0));
    }

    /** The log as its store files have it; {@code stored} is in order. */
    synchronized void load(LogEntry entry, List<StoredSegment> stored, StoreFile newest) {
        saved = true;
        setAside = entry.setAside();
        start = entry.start();
        segments.clear();
        segments.addAll(stored);
        StoredSegment last = stored.isEmpty() ? null : stored.get(stored.size() - 1);
        end = last == null ? start : Math.max(start, last.storedNext());
        settled = end;
        if (last == null || last.isSealed() || last.file() != newest) {
            begin(end);
        }
    }

    LogId id() {
        return id;
    }

    int number() {
        return number;
    }

    // ---- who may change it

    synchronized PartitionLog lend(long lease) {
        newestLease = Math.max(newestLease, lease);
        return new StoredLogHandle(this, shard, lease);
    }

    /** Takes over from a log that failed. */
    synchronized void inherit(long lease, SegmentSizes sizesOfFailed) {
        newestLease = lease;
        sizes = sizesOfFailed;
    }

    synchronized long newestLease() {
        return newestLease;
    }

    synchronized SegmentSizes sizes() {
        return sizes;
    }

    synchronized void mustOwn(long lease) {
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

    boolean isDead() {
        return dead != null;
    }

    /** True if the log could not be opened because a file is damaged; its segments are not known then. */
    synchronized boolean isOfflineSinceOpening() {
        return dead != null && segments.isEmpty();
    }

    synchronized boolean isSaved() {
        return saved;
    }

    /**
     * Nobody may change the log any more. What was not committed is gone; who waits for it gets the reason. What was
     * committed can still be read.
     */
    void die(FeliceException reason) {
        List<Waiter> failed;
        synchronized (this) {
            if (dead != null) {
                return;
            }
            dead = reason;
            end = settled;
            shared.memory().giveBack(recent.dropUncommitted());
            failed = List.copyOf(waiters);
            waiters.clear();
        }
        failed.forEach(waiter -> waiter.done.completeExceptionally(reason));
    }

    /** Ends this object's use of memory and files: another one stands for the log, or there is no log any more. */
    void retire(FeliceException reason) {
        die(reason);
        synchronized (this) {
            dead = reason;
            shared.memory().drop(recent.dropSettled(0));
            segments.clear();
        }
    }

    synchronized void configure(SegmentSizes newSizes) {
        sizes = newSizes;
    }

    // ---- offsets

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

    void flushedTo(long offset) {
        synchronized (this) {
            flushed = Math.max(flushed, Math.min(offset, settled));
        }
    }

    // ---- append

    void append(RecordBatch batch, long lease) {
        int size = batch.sizeInBytes();
        if (size < RecordBatch.HEADER_BYTES || batch.lastOffsetDelta() < 0) {
            throw new IllegalArgumentException("not a batch: " + batch);
        }
        mustOwn(lease);
        shared.memory().take(size, shard.commits()::commitSoon);
        boolean appended = false;
        try {
            ByteBuffer copy = ByteBuffer.allocate(size);
            batch.copyTo(copy, 0);
            add(new RecordBatch(copy, 0), size, lease);
            appended = true;
        } finally {
            if (!appended) {
                shared.memory().giveBack(size);
            }
        }
    }

    private void add(RecordBatch batch, int size, long lease) {
        boolean first;
        synchronized (this) {
            mustOwn(lease);
            if (batch.baseOffset() < end) {
                throw new IllegalArgumentException(batch + " is below the end of " + id + ", " + end);
            }
            if (!fits(batch, size)) {
                begin(batch.lastOffset() - end > StoredSegment.MOST_OFFSETS ? batch.baseOffset() : end);
            }
            StoredSegment active = active();
            recent.add(new RecentBatches.Recent(active, batch, size));
            active.added(batch, size);
            end = batch.nextOffset();
            first = !queued;
            queued = true;
        }
        if (first) {
            shard.commits().hasBatches(this);
        }
    }

    private boolean fits(RecordBatch batch, int size) {
        StoredSegment active = active();
        return (active.bytes() == 0 || active.bytes() + size <= sizes.segmentBytes())
                && batch.lastOffset() - active.base() <= StoredSegment.MOST_OFFSETS;
    }

    private StoredSegment active() {
        return segments.get(segments.size() - 1);
    }

    /** Seals the active segment and begins one at an offset; an empty one goes. */
    private void begin(long base) {
        if (!segments.isEmpty()) {
            StoredSegment active = active();
            if (active.bytes() == 0 && !active.isStored()) {
                segments.remove(active);
            } else if (!active.isSealed()) {
                active.seal();
                unsaved.add(active);
            }
        }
        segments.add(fresh(base));
    }

    private StoredSegment fresh(long base) {
        return new StoredSegment(shard.nextSegment(), base, shared.clock().millis());
    }

    void roll(long lease) {
        synchronized (this) {
            mustOwn(lease);
            if (active().bytes() > 0) {
                begin(end);
            }
        }
    }

    // ---- settle

    CompletionStage<Void> settle(long upTo) {
        Waiter waiter;
        synchronized (this) {
            if (dead != null) {
                return CompletableFuture.failedStage(dead);
            }
            if (settled >= Math.min(upTo, end)) {
                return PartitionLog.DONE;
            }
            waiter = new Waiter(Math.min(upTo, end), new CompletableFuture<>());
            waiters.add(waiter);
        }
        shard.commits().commitSoon();
        return waiter.done;
    }

    CompletionStage<Void> flush(long upTo) {
        if (dead != null) {
            return CompletableFuture.failedStage(dead);
        }
        if (flushed >= Math.min(upTo, end)) {
            return PartitionLog.DONE;
        }
        return settle(upTo).thenCompose(settledNow -> shard.flush(this, upTo));
    }

    // ---- the shard's thread

    /** Batches of a log on their way into a store file. */
    static final class Put {
        private final StoredLog log;
        private final Map<StoredSegment, List<RecentBatches.Recent>> batches = new LinkedHashMap<>();
        private long bytes;
        private StoreFile file;
        private List<StoredSegment> sealed;

        private Put(StoredLog log, List<RecentBatches.Recent> taken, List<StoredSegment> sealed) {
            this.log = log;
            this.sealed = sealed;
            for (RecentBatches.Recent one : taken) {
                batches.computeIfAbsent(one.segment(), unused -> new ArrayList<>())
                        .add(one);
                bytes += one.size();
            }
        }

        StoredLog log() {
            return log;
        }

        long bytes() {
            return bytes;
        }

        /** Puts the batches, and what the file has to know of their segments; may be called again after a failure. */
        void write(StoreFile newest) throws IOException {
            file = newest;
            for (Map.Entry<StoredSegment, List<RecentBatches.Recent>> each : batches.entrySet()) {
                StoredSegment segment = each.getKey();
                for (RecentBatches.Recent one : each.getValue()) {
                    newest.putBatch(
                            segment.keyOf(one.batch().lastOffset()), one.batch().bytes());
                }
                newest.putSegment(segment.number(), segment.entryWith(log.number, newest, each.getValue()));
            }
            for (StoredSegment segment : sealed) {
                if (!batches.containsKey(segment)) {
                    newest.putSegment(segment.number(), segment.entry(log.number));
                }
            }
            if (!log.isSaved()) {
                newest.putLog(log.number, log.entryStartingAt(log.start));
            }
        }

        /** The commit is done: answers who waited for it. */
        void committed() {
            log.committed(this);
        }
    }

    /** The batches for the next commit, at least one and about {@code mostBytes}; null if none wait. */
    synchronized Put take(long mostBytes) {
        queued = false;
        if (dead != null || !recent.isWaiting()) {
            return null;
        }
        Put put = put(recent.take(mostBytes));
        if (recent.isWaiting()) {
            queued = true;
            shard.commits().hasBatches(this);
            shard.commits().commitSoon();
        }
        return put;
    }

    private Put put(List<RecentBatches.Recent> taken) {
        return new Put(
                this, taken, unsaved.stream().filter(StoredSegment::isStored).toList());
    }

    private void committed(Put put) {
        List<Waiter> answered = new ArrayList<>();
        synchronized (this) {
            saved = true;
            unsaved.removeAll(put.sealed);
            put.batches.forEach((segment, batches) -> {
                batches.forEach(one -> segment.stored(put.file, one.batch(), one.size()));
                settled = batches.get(batches.size() - 1).batch().nextOffset();
            });
            while (!waiters.isEmpty() && waiters.peek().upTo <= settled) {
                answered.add(waiters.poll());
            }
            boolean isRead = shared.clock().millis() - lastRead < READER_MS;
            long most =
                    isRead && shared.memory().keepsMore() ? shared.settings().recentBytes() : 0;
            shared.memory().keep(put.bytes);
            shared.memory().drop(recent.committed(most));
        }
        answered.forEach(waiter -> waiter.done.complete(null));
    }

    /** A write of what the log has waiting failed. */
    void fail(IOException failure) {
        die(KAFKA_STORAGE_ERROR.because(
                id + " is offline after a failure of its store file: " + failure.getMessage(), failure));
    }

    FeliceException causeOfDeath() {
        return dead;
    }

    /** Gives back memory that no reader asked for lately. */
    void dropUnread() {
        if (shared.clock().millis() - lastRead >= READER_MS) {
            synchronized (this) {
                shared.memory().drop(recent.dropSettled(0));
            }
        }
    }

    /**
     * The newest store file gets a successor: what is appended from now on goes to a new segment.
     *
     * @return the batches that still have to go into the file, because their segment is there; null if there are none
     */
    synchronized Put leaveFile() {
        if (dead != null || segments.isEmpty()) {
            return null;
        }
        if (active().isStored()) {
            begin(end);
        }
        List<RecentBatches.Recent> rest = recent.takeStored();
        return rest.isEmpty() ? null : put(rest);
    }

    /** All segments that were in one file are in another. */
    synchronized void moved(StoreFile from, StoreFile to) {
        segments.stream().filter(segment -> segment.file() == from).forEach(segment -> segment.movedTo(to));
    }

    // ---- what is in the newest file has changed; the shard's thread

    LogEntry entryStartingAt(long at) {
        return new LogEntry(id, at, isSetAside());
    }

    synchronized List<StoredSegment> segmentsNow() {
        return List.copyOf(segments);
    }

    synchronized List<StoredSegment> storedSegments() {
        return segments.stream().filter(StoredSegment::isStored).toList();
    }

    /** The log has these segments and no others; what was in memory is gone. */
    synchronized void restart(List<StoredSegment> left, long newStart, long newEnd) {
        saved = true;
        shared.memory().drop(recent.dropSettled(0));
        segments.clear();
        segments.addAll(left);
        unsaved.retainAll(left);
        start = newStart;
        end = newEnd;
        settled = newEnd;
        flushed = Math.min(flushed, newEnd);
        begin(newEnd);
    }

    synchronized void dropBelow(List<StoredSegment> gone, long newStart) {
        saved = true;
        segments.removeAll(gone);
        unsaved.removeAll(gone);
        start = newStart;
    }

    /**
     * Puts a segment in the place of others.
     *
     * @param to the offset after them
     */
    synchronized void swap(List<StoredSegment> old, StoredSegment fresh, long to) {
        int at = placeOf(old, to);
        segments.subList(at, at + old.size()).clear();
        segments.add(at, fresh);
        old.forEach(unsaved::remove);
        shared.memory().drop(recent.dropSettled(0));
    }

    /** True if the segments are there, one after the other and before one that begins at {@code to}. */
    synchronized boolean has(List<StoredSegment> old, long to) {
        return placeOf(old, to) >= 0;
    }

    private int placeOf(List<StoredSegment> old, long to) {
        int at = segments.indexOf(old.get(0));
        int behind = at + old.size();
        return at >= 0
                        && behind < segments.size()
                        && segments.subList(at, behind).equals(old)
                        && segments.get(behind).base() == to
                ? at
                : -1;
    }

    /** Notes that an operator has to look at the log, or that it is used again. */
    Runnable setAside(boolean aside, StoreFile newest) throws IOException {
        newest.putLog(number, new LogEntry(id, start, aside));
        return () -> {
            synchronized (this) {
                saved = true;
                setAside = aside;
            }
        };
    }

    synchronized boolean isSetAside() {
        return setAside;
    }

    // ---- read

    boolean isHot(long from) {
        if (from >= end || from < start) {
            return true;
        }
        lastRead = shared.clock().millis();
        synchronized (this) {
            return from >= recent.first(end);
        }
    }

    synchronized List<Segment> segments() {
        List<Segment> described = new ArrayList<>(segments.size());
        for (int i = 0; i < segments.size(); i++) {
            StoredSegment segment = segments.get(i);
            boolean last = i + 1 == segments.size();
            described.add(new Segment(
                    segment.base(),
                    last ? end : segments.get(i + 1).base(),
                    segment.bytes(),
                    segment.maxTimestamp(),
                    segment.createdAt(),
                    !last));
        }
        if (described.isEmpty()) {
            mustBeAlive();
        }
        return described;
    }

    /**
     * What a read from an offset finds: batches in memory, or where to look for them.
     *
     * @param records null if files have to be read
     * @param segments with the batches in files, in order
     * @param ends the offsets up to which to read each of them
     * @param firstInMemory from there on nothing needs to be read from files
     */
    record Found(Records records, List<StoredSegment> segments, List<Long> ends, long firstInMemory) {
        private static Found of(Records records) {
            return new Found(records == null ? Records.EMPTY : records, List.of(), List.of(), 0);
        }
    }

    /** @param from where the read began, which must still be in the log */
    synchronized Found find(long from, long at, long limit, int maxBytes, boolean atLeastOne) {
        lastRead = shared.clock().millis();
        if (segments.isEmpty()) {
            mustBeAlive();
        }
        if (from < start || at > end) {
            throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + end + " of " + id);
        }
        if (at >= Math.min(limit, end)) {
            return Found.of(Records.EMPTY);
        }
        long firstInMemory = recent.first(end);
        return at >= firstInMemory
                ? Found.of(recent.read(at, limit, maxBytes, atLeastOne))
                : inFiles(at, firstInMemory);
    }

    private Found inFiles(long from, long to) {
        List<StoredSegment> found = new ArrayList<>();
        List<Long> ends = new ArrayList<>();
        for (int i = 0; i < segments.size(); i++) {
            StoredSegment segment = segments.get(i);
            long next = i + 1 < segments.size() ? segments.get(i + 1).base() : end;
            if (segment.isStored() && next > from && segment.base() < to) {
                found.add(segment);
                ends.add(Math.min(Math.min(next, segment.storedNext()), to));
            }
        }
        return new Found(null, found, ends, to);
    }

    @Override
    public String toString() {
        return id.toString();
    }
}
