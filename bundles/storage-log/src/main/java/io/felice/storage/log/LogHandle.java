package io.felice.storage.log;

import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/** An owner's handle of a log: passes every call on to the log, changes together with the owner's lease. */
final class LogHandle implements PartitionLog {
    private final SegmentedLog log;
    private final long lease;
    private final AtomicBoolean closed = new AtomicBoolean();

    LogHandle(SegmentedLog log, long lease) {
        this.log = log;
        this.lease = lease;
    }

    @Override
    public long startOffset() {
        return log.startOffset();
    }

    @Override
    public long endOffset() {
        return log.endOffset();
    }

    @Override
    public long flushedOffset() {
        return log.flushedOffset();
    }

    @Override
    public long settledOffset() {
        return log.settledOffset();
    }

    @Override
    public boolean hasFailed() {
        return log.hasFailed();
    }

    @Override
    public void append(RecordBatch batch) {
        log.append(batch, lease);
    }

    @Override
    public CompletionStage<Void> settle(long upTo) {
        log.settle();
        return DONE;
    }

    @Override
    public CompletionStage<Void> flush(long upTo) {
        return log.flush(upTo);
    }

    @Override
    public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        return log.read(from, limit, maxBytes, atLeastOne);
    }

    @Override
    public boolean isHot(long from) {
        return log.isHot(from);
    }

    @Override
    public List<Segment> segments() {
        return log.segments();
    }

    @Override
    public long scanStartFor(long timestamp) {
        return log.scanStartFor(timestamp);
    }

    @Override
    public Replacement replace(List<Segment> old) {
        return log.replace(old, lease);
    }

    @Override
    public void truncateTo(long end) {
        log.truncateTo(end, lease);
    }

    @Override
    public void trimTo(long start) {
        log.trimTo(start, lease);
    }

    @Override
    public void roll() {
        log.roll(lease);
    }

    @Override
    public void deleteFilesAfter(Duration delay) {
        log.deleteFilesAfter(delay);
    }

    @Override
    public void configure(SegmentSizes sizes) {
        log.configure(sizes);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            log.release();
        }
    }
}
