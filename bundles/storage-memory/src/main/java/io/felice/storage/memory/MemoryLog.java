package io.felice.storage.memory;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;

/**
 * One log. Batches are keyed by their last offset, so that {@code ceilingEntry(offset)} is the batch that holds an
 * offset. All handles lock this object. Records that are read are copies that never change, so they may stay pinned
 * without cost.
 */
final class MemoryLog {
    private final LogId id;
    private final MemoryStorageEngine engine;
    private final Clock clock;
    private final TreeMap<Long, RecordBatch> batches = new TreeMap<>();
    /** The time at which each segment was created, by base offset, in milliseconds since the epoch. */
    private final TreeMap<Long, Long> segments = new TreeMap<>();

    private SegmentSizes sizes = SegmentSizes.DEFAULT;
    private long activeBytes;
    private long start;
    private long end;
    private long newestLease = Long.MIN_VALUE;
    private boolean deleted;
    /** A segment may have other batches after a truncation. */
    private long truncations;

    MemoryLog(LogId id, MemoryStorageEngine engine, Clock clock) {
        this.id = id;
        this.engine = engine;
        this.clock = clock;
        begin(0);
    }

    synchronized PartitionLog lend(long lease) {
        newestLease = Math.max(newestLease, lease);
        return new Handle(lease);
    }

    synchronized void delete() {
        deleted = true;
        drop(batches.values());
    }

    private void begin(long base) {
        segments.put(base, clock.millis());
        activeBytes = 0;
    }

    /** Removes all records. The log then starts and ends at {@code offset}. */
    private void restartAt(long offset) {
        drop(batches.values());
        segments.clear();
        start = offset;
        end = offset;
        begin(offset);
    }

    /** Removes batches through a view of {@link #batches} and releases their bytes of the engine's limit. */
    private void drop(Collection<RecordBatch> view) {
        view.forEach(batch -> engine.giveBack(batch.sizeInBytes()));
        view.clear();
    }

    private void keep(RecordBatch batch) {
        take(batch.sizeInBytes());
        batches.put(batch.lastOffset(), copyOf(batch));
    }

    private void take(long bytes) {
        if (!engine.take(bytes)) {
            throw KAFKA_STORAGE_ERROR.because("the memory engine is full: no room for " + bytes + " bytes of " + id
                    + "; trim or delete logs, or raise the setting bytes");
        }
    }

    private static RecordBatch copyOf(RecordBatch batch) {
        ByteBuffer copy = ByteBuffer.allocate(batch.sizeInBytes());
        batch.copyTo(copy, 0);
        return new RecordBatch(copy.asReadOnlyBuffer(), 0);
    }

    private static long bytesOf(Collection<RecordBatch> batches) {
        return batches.stream().mapToLong(RecordBatch::sizeInBytes).sum();
    }

    private void mustHaveSealed(List<Segment> old) {
        if (old.isEmpty()) {
            throw new IllegalArgumentException("no segments to replace");
        }
        for (int i = 0; i < old.size(); i++) {
            Segment one = old.get(i);
            Long next = segments.higherKey(one.baseOffset());
            boolean follows = i == 0 || one.baseOffset() == old.get(i - 1).nextOffset();
            if (!follows || !segments.containsKey(one.baseOffset()) || next == null || next != one.nextOffset()) {
                throw OFFSET_OUT_OF_RANGE.because(old + " are no neighbouring sealed segments of " + id);
            }
        }
    }

    private Segment segment(long base, long createdAt) {
        Long next = segments.higherKey(base);
        long bytes = 0;
        long maxTimestamp = -1;
        for (RecordBatch batch :
                batches.subMap(base, next == null ? Long.MAX_VALUE : next).values()) {
            bytes += batch.sizeInBytes();
            maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp());
        }
        return new Segment(base, next == null ? end : next, bytes, maxTimestamp, createdAt, next != null);
    }

    /** An opened log. Its owner may write until the log is opened again with a newer lease. */
    private final class Handle implements PartitionLog {
        private final long lease;

        Handle(long lease) {
            this.lease = lease;
        }

        void mustOwn() {
            if (deleted || lease < newestLease) {
                throw KAFKA_STORAGE_ERROR.because(id + (deleted ? " was deleted" : " has a newer owner"));
            }
        }

        @Override
        public long startOffset() {
            synchronized (MemoryLog.this) {
                return start;
            }
        }

        @Override
        public long endOffset() {
            synchronized (MemoryLog.this) {
                return end;
            }
        }

        @Override
        public long flushedOffset() {
            return endOffset();
        }

        @Override
        public long settledOffset() {
            return endOffset();
        }

        @Override
        public void append(RecordBatch batch) {
            synchronized (MemoryLog.this) {
                mustOwn();
                if (batch.baseOffset() < end) {
                    throw new IllegalArgumentException(batch + " is below the end of " + id + ", " + end);
                }
                if (activeBytes + batch.sizeInBytes() > sizes.segmentBytes()) {
                    roll();
                }
                keep(batch);
                activeBytes += batch.sizeInBytes();
                end = batch.nextOffset();
            }
        }

        /** Nothing to do: this engine does not have the trait SURVIVES_KILL. */
        @Override
        public CompletionStage<Void> settle(long upTo) {
            return DONE;
        }

        @Override
        public CompletionStage<Void> flush(long upTo) {
            return DONE;
        }

        @Override
        public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
            synchronized (MemoryLog.this) {
                if (from < start || from > end) {
                    throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + end + " of " + id);
                }
                List<ByteBuffer> found = new ArrayList<>();
                long room = maxBytes;
                long next = end;
                for (RecordBatch batch : batches.tailMap(from).values()) {
                    room -= batch.sizeInBytes();
                    boolean full = room < 0 && !(atLeastOne && found.isEmpty());
                    if (full || batch.lastOffset() >= limit) {
                        next = batch.baseOffset();
                        break;
                    }
                    found.add(batch.bytes());
                }
                return found.isEmpty() ? Records.EMPTY : new Records.InMemory(found, next, () -> {});
            }
        }

        @Override
        public List<Segment> segments() {
            synchronized (MemoryLog.this) {
                return segments.entrySet().stream()
                        .map(entry -> segment(entry.getKey(), entry.getValue()))
                        .toList();
            }
        }

        @Override
        public Replacement replace(List<Segment> old) {
            synchronized (MemoryLog.this) {
                mustOwn();
                mustHaveSealed(old);
                return new InMemory(this, old);
            }
        }

        @Override
        public void truncateTo(long to) {
            synchronized (MemoryLog.this) {
                mustOwn();
                if (to < start) {
                    truncations++;
                    restartAt(to);
                } else if (to < end) {
                    truncations++;
                    drop(batches.tailMap(to).values());
                    end = Math.max(start, batches.isEmpty() ? start : batches.lastKey() + 1);
                    segments.tailMap(end, false).clear();
                    activeBytes = segment(segments.lastKey(), 0).sizeInBytes();
                }
            }
        }

        @Override
        public void trimTo(long to) {
            synchronized (MemoryLog.this) {
                mustOwn();
                if (to >= end && to > start) {
                    restartAt(to);
                } else if (to > start) {
                    start = to;
                    drop(batches.headMap(to).values());
                    segments.headMap(segments.floorKey(to)).clear();
                }
            }
        }

        @Override
        public void roll() {
            synchronized (MemoryLog.this) {
                mustOwn();
                if (activeBytes > 0) {
                    begin(end);
                }
            }
        }

        @Override
        public void configure(SegmentSizes newSizes) {
            synchronized (MemoryLog.this) {
                sizes = newSizes;
            }
        }

        @Override
        public void close() {
            // Nothing to release: the engine keeps the log.
        }
    }

    /** A new segment. It shares the bytes of the batches that stay as they are. */
    private final class InMemory implements Replacement {
        private final Handle handle;
        private final List<Segment> old;
        private final long from;
        private final long to;
        private final long truncationsBefore = truncations;
        private final TreeMap<Long, RecordBatch> kept = new TreeMap<>();
        /** Bytes of the kept batches that are not shared; they are reserved of the engine's limit. */
        private long taken;

        private long next;

        InMemory(Handle handle, List<Segment> old) {
            this.handle = handle;
            this.old = List.copyOf(old);
            this.from = old.get(0).baseOffset();
            this.to = old.get(old.size() - 1).nextOffset();
            this.next = from;
        }

        @Override
        public void append(RecordBatch batch) {
            if (batch.baseOffset() < next || batch.nextOffset() > to) {
                throw new IllegalArgumentException(batch + " is not in " + next + ".." + to);
            }
            synchronized (MemoryLog.this) {
                handle.mustOwn();
                RecordBatch same = batches.get(batch.lastOffset());
                if (same == null || !same.bytes().equals(batch.bytes())) {
                    take(batch.sizeInBytes());
                    taken += batch.sizeInBytes();
                    same = copyOf(batch);
                }
                kept.put(batch.lastOffset(), same);
            }
            next = batch.nextOffset();
        }

        @Override
        public void prepare() {
            // Nothing to do: all of it is in memory.
        }

        @Override
        public void commit() {
            synchronized (MemoryLog.this) {
                handle.mustOwn();
                mustHaveSealed(old);
                if (truncations != truncationsBefore) {
                    throw OFFSET_OUT_OF_RANGE.because(id + " was truncated while its segments were replaced");
                }
                kept.headMap(start).clear();
                Collection<RecordBatch> replaced = batches.subMap(from, to).values();
                engine.giveBack(bytesOf(replaced) + taken - bytesOf(kept.values()));
                replaced.clear();
                batches.putAll(kept);
                segments.put(from, old.get(old.size() - 1).createdAt());
                segments.subMap(from, false, to, false).clear();
                taken = 0;
            }
        }

        @Override
        public void close() {
            engine.giveBack(taken);
            taken = 0;
        }
    }
}
