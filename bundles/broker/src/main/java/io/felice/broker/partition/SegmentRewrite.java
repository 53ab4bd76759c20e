package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import java.util.List;
import java.util.Optional;

/**
 * Writes one new segment with what compaction leaves of neighbouring segments. Several segments always become a new one; a
 * single segment is written again only from the first batch on that changes, and not at all if none does. For one thread;
 * blocks.
 */
final class SegmentRewrite implements AutoCloseable {
    static final int CHUNK_BYTES = 256 << 10;

    /** Returns the same batch if all records stay, a smaller one with bytes of its own, or empty. */
    @FunctionalInterface
    interface Filter {
        Optional<RecordBatch> left(RecordBatch batch);
    }

    private final PartitionLog log;
    private final List<Segment> old;
    private final long from;
    private final long to;
    private final Pace pace;
    /** Null as long as nothing changes. */
    private Replacement replacement;

    private long readBytes;
    private long writtenBytes;

    SegmentRewrite(PartitionLog log, List<Segment> old, Pace pace) {
        this.log = log;
        this.old = old;
        this.from = Math.max(old.get(0).baseOffset(), log.startOffset());
        this.to = old.get(old.size() - 1).nextOffset();
        this.pace = pace;
    }

    long oldBytes() {
        return old.stream().mapToLong(Segment::sizeInBytes).sum();
    }

    long readBytes() {
        return readBytes;
    }

    long writtenBytes() {
        return writtenBytes;
    }

    /** Returns a new segment that can be committed; empty if all batches stay as they are. */
    Optional<Replacement> write(Filter filter) {
        if (old.size() > 1) {
            begin(from);
        }
        LogScan.walk(log, from, to, CHUNK_BYTES, batch -> {
            Optional<RecordBatch> left = filter.left(batch);
            boolean same = left.isPresent() && left.get() == batch;
            if (replacement == null && !same) {
                begin(batch.baseOffset());
            }
            if (replacement != null) {
                left.ifPresent(this::append);
            }
            read(batch);
            return true;
        });
        if (replacement != null) {
            replacement.prepare();
        }
        return Optional.ofNullable(replacement);
    }

    /** @param changed the offset of the first batch that does not stay as it is */
    private void begin(long changed) {
        replacement = log.replace(old);
        LogScan.walk(log, from, changed, CHUNK_BYTES, batch -> {
            append(batch);
            read(batch);
            return true;
        });
    }

    private void append(RecordBatch batch) {
        int bytes = batch.sizeInBytes();
        replacement.append(batch);
        writtenBytes += bytes;
        pace.moved(bytes);
    }

    private void read(RecordBatch batch) {
        int bytes = batch.sizeInBytes();
        readBytes += bytes;
        pace.moved(bytes);
    }

    @Override
    public void close() {
        if (replacement != null) {
            replacement.close();
        }
    }
}
