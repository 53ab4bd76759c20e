package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A new segment beside the old ones. Its batches go into the file that was the newest when it began, some at a time, each
 * time in a commit of their own; nothing is known of them until {@link #commit} names the new segment in the newest file.
 * Batches of a segment that is never named stay in their file until it is deleted.
 */
final class StoredReplacement implements Replacement {
    /** So many bytes go into one commit; the shard's other logs wait for it. */
    private static final int COMMIT_BYTES = 1 << 19;

    private final StoredLog log;
    private final StoreShard shard;
    private final StoreFile file;
    private final long lease;
    private final List<StoredSegment> old;
    private final StoredSegment fresh;
    private final long to;
    private final List<RecordBatch> waiting = new ArrayList<>();
    private long waitingBytes;
    private long next;
    private boolean committed;
    private boolean closed;

    private StoredReplacement(
            StoredLog log, StoreShard shard, long lease, List<StoredSegment> old, StoredSegment fresh, long to) {
        this.log = log;
        this.shard = shard;
        this.file = shard.enterNewest();
        this.lease = lease;
        this.old = List.copyOf(old);
        this.fresh = fresh;
        this.to = to;
        this.next = fresh.base();
    }

    /** Begins to replace the segments that a caller got described. */
    static StoredReplacement of(StoredLog log, StoreShard shard, long lease, List<Segment> described) {
        List<StoredSegment> old = sealedNeighbours(described, log);
        StoredSegment fresh = new StoredSegment(
                shard.nextSegment(), old.get(0).base(), old.get(old.size() - 1).createdAt());
        long to = described.get(described.size() - 1).nextOffset();
        return new StoredReplacement(log, shard, lease, old, fresh, to);
    }

    private static List<StoredSegment> sealedNeighbours(List<Segment> described, StoredLog log) {
        if (described.isEmpty()) {
            throw new IllegalArgumentException("no segments to replace");
        }
        List<StoredSegment> all = log.segmentsNow();
        int first = 0;
        while (first < all.size() && all.get(first).base() != described.get(0).baseOffset()) {
            first++;
        }
        for (int i = 0; i < described.size(); i++) {
            int at = first + i;
            if (at + 1 >= all.size()
                    || all.get(at).base() != described.get(i).baseOffset()
                    || all.get(at + 1).base() != described.get(i).nextOffset()) {
                throw notThere(log);
            }
        }
        return all.subList(first, first + described.size());
    }

    private static FeliceException notThere(StoredLog log) {
        return OFFSET_OUT_OF_RANGE.because("these are no neighbouring sealed segments of " + log);
    }

    @Override
    public void append(RecordBatch batch) {
        if (batch.baseOffset() < next || batch.nextOffset() > to) {
            throw new IllegalArgumentException(batch + " is not in " + next + ".." + to);
        }
        log.mustOwn(lease);
        int size = batch.sizeInBytes();
        ByteBuffer copy = ByteBuffer.allocate(size);
        batch.copyTo(copy, 0);
        waiting.add(new RecordBatch(copy, 0));
        waitingBytes += size;
        next = batch.nextOffset();
        if (waitingBytes >= COMMIT_BYTES) {
            write();
        }
    }

    private void write() {
        shard.commits().write(log, file, () -> {
            for (RecordBatch batch : waiting) {
                file.putBatch(fresh.keyOf(batch.lastOffset()), batch.bytes());
            }
        });
        waiting.forEach(batch -> fresh.stored(file, batch, batch.sizeInBytes()));
        waiting.clear();
        waitingBytes = 0;
    }

    @Override
    public void prepare() {
        if (!waiting.isEmpty()) {
            write();
        }
        try {
            file.sync();
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "segments of " + log + " were not replaced: " + failure.getMessage(), failure);
        }
    }

    @Override
    public void commit() {
        log.mustOwn(lease);
        fresh.replaces(file, to);
        shard.commits().change(log, lease, this::swap);
        committed = true;
    }

    private Runnable swap(StoreFile newest) throws IOException {
        if (!log.has(old, to)) {
            throw notThere(log);
        }
        for (StoredSegment segment : old) {
            newest.removeSegment(segment.number());
        }
        newest.putSegment(fresh.number(), fresh.entry(log.number()));
        return () -> log.swap(old, fresh, to);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        shard.leave(file);
        if (committed) {
            shard.flushNow();
        }
    }
}
