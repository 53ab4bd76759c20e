package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;

/**
 * The batches of a segment as compaction leaves them. The first {@link #AHEAD_BYTES} are read ahead, because appends
 * are held back while the segment is replaced. Reads from disk; for one thread at a time.
 */
final class SegmentRewrite implements Iterator<RecordBatch> {
    private static final int CHUNK_BYTES = 1 << 20;
    /** The most bytes of remaining batches that are read ahead into memory. */
    static final int AHEAD_BYTES = 16 << 20;

    /** Returns the same batch if all records stay, a smaller one with bytes of its own, or empty. */
    @FunctionalInterface
    interface Filter {
        Optional<RecordBatch> left(RecordBatch batch);
    }

    private final PartitionLog log;
    private final long to;
    private final Deque<RecordBatch> ahead = new ArrayDeque<>();
    private Filter filter;
    private long next;
    private long bytes;
    private boolean ended;
    private boolean changes;

    SegmentRewrite(PartitionLog log, Segment segment, Filter filter) {
        this(log, Math.max(segment.baseOffset(), log.startOffset()), segment.nextOffset(), filter);
    }

    private SegmentRewrite(PartitionLog log, long from, long to, Filter filter) {
        this.log = log;
        this.next = from;
        this.to = to;
        this.filter = filter;
        this.ended = from >= to;
    }

    /** Reads the whole segment, and keeps the first batches in memory; false if all of its records stay. */
    boolean changesAnything() {
        while (!ended && bytes < AHEAD_BYTES) {
            read();
        }
        if (!ended) {
            lookBehind();
        }
        return changes;
    }

    /** Finds the changing batches behind those in memory; only these are filtered again when they are read again. */
    private void lookBehind() {
        Filter first = filter;
        Set<Long> changed = new HashSet<>();
        SegmentRewrite rest = new SegmentRewrite(log, next, to, batch -> {
            if (!isSame(batch, first.left(batch))) {
                changed.add(batch.baseOffset());
            }
            return Optional.empty();
        });
        while (!rest.ended) {
            rest.read();
        }
        changes |= !changed.isEmpty();
        filter = batch -> changed.contains(batch.baseOffset()) ? first.left(batch) : Optional.of(batch);
    }

    /** The size of the remaining batches that were read so far. */
    long bytes() {
        return bytes;
    }

    @Override
    public boolean hasNext() {
        while (ahead.isEmpty() && !ended) {
            read();
        }
        return !ahead.isEmpty();
    }

    @Override
    public RecordBatch next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return ahead.poll();
    }

    private void read() {
        long before = next;
        try (Records records = log.read(next, to, CHUNK_BYTES, true)) {
            for (ByteBuffer chunk : LogScan.buffersOf(records)) {
                for (RecordBatch batch : Batches.split(chunk)) {
                    take(batch);
                    next = batch.nextOffset();
                }
            }
        }
        ended = next == before || next >= to;
    }

    private void take(RecordBatch batch) {
        Optional<RecordBatch> stays = filter.left(batch);
        boolean same = isSame(batch, stays);
        changes |= !same;
        stays.ifPresent(left -> {
            ahead.add(same ? copyOf(left) : left);
            bytes += left.sizeInBytes();
        });
    }

    private static boolean isSame(RecordBatch batch, Optional<RecordBatch> left) {
        return left.isPresent() && left.get() == batch;
    }

    /** Copies a batch, because the bytes that were read are released after the chunk. */
    private static RecordBatch copyOf(RecordBatch batch) {
        ByteBuffer copy = ByteBuffer.allocate(batch.sizeInBytes());
        batch.copyTo(copy, 0);
        return new RecordBatch(copy, 0);
    }
}
