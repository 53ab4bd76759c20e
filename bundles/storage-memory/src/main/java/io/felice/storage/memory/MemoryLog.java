package io.felice.storage.memory;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
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
        put(batch);
    }

    private void take(long bytes) {
        if (!engine.take(bytes)) {
            throw KAFKA_STORAGE_ERROR.because("the memory engine is full: no room for " + bytes + " bytes of " + id
                    + "; trim or delete logs, or raise the setting bytes");
        }
    }

    private void put(RecordBatch batch) {
        ByteBuffer copy = ByteBuffer.allocate(batch.sizeInBytes());
        batch.copyTo(copy, 0);
        batches.put(batch.lastOffset(), new RecordBatch(copy.asReadOnlyBuffer(), 0));
    }

    private static long bytesOf(Collection<RecordBatch> batches) {
        return batches.stream().mapToLong(RecordBatch::sizeInBytes).sum();
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

        private void mustOwn() {
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

        @Override
        public void settle() {
            // Nothing to do: this engine does not have the trait SURVIVES_KILL.
        }

        @Override
        public CompletionStage<Void> flush(long upTo) {
            return PartitionLog.flushed();
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
        public void replace(Segment old, Iterator<RecordBatch> compacted) {
            synchronized (MemoryLog.this) {
                mustOwn();
                Long next = segments.higherKey(old.baseOffset());
                if (!segments.containsKey(old.baseOffset()) || next == null || next != old.nextOffset()) {
                    throw new IllegalArgumentException(old + " is not a sealed segment of " + id);
                }
                List<RecordBatch> kept = new ArrayList<>();
                compacted.forEachRemaining(kept::add);
                Collection<RecordBatch> replaced =
                        batches.subMap(old.baseOffset(), next).values();
                // Reserves only the growth. If all bytes were released first, another log could take them, and the kept
                // records would have no room.
                long more = bytesOf(kept) - bytesOf(replaced);
                if (more > 0) {
                    take(more);
                }
                replaced.clear();
                kept.forEach(MemoryLog.this::put);
                if (more < 0) {
                    engine.giveBack(-more);
                }
            }
        }

        @Override
        public void truncateTo(long to) {
            synchronized (MemoryLog.this) {
                mustOwn();
                if (to < start) {
                    restartAt(to);
                } else if (to < end) {
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
}
