package io.felice.storage.mvstore;

import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/** What an owner holds of a log: its lease goes with every change. */
final class StoredLogHandle implements PartitionLog {
    private final StoredLog log;
    private final StoreShard shard;
    private final long lease;
    private final StoredReader reader;
    private final AtomicBoolean closed = new AtomicBoolean();

    StoredLogHandle(StoredLog log, StoreShard shard, long lease) {
        this.log = log;
        this.shard = shard;
        this.lease = lease;
        this.reader = new StoredReader(log);
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
        return log.isDead();
    }

    @Override
    public void append(RecordBatch batch) {
        log.append(batch, lease);
    }

    @Override
    public CompletionStage<Void> settle(long upTo) {
        return log.settle(upTo);
    }

    @Override
    public CompletionStage<Void> flush(long upTo) {
        return log.flush(upTo);
    }

    @Override
    public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        return reader.read(from, limit, maxBytes, atLeastOne);
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
    public Replacement replace(List<Segment> old) {
        log.mustOwn(lease);
        return StoredReplacement.of(log, shard, lease, old);
    }

    @Override
    public void truncateTo(long end) {
        log.mustOwn(lease);
        shard.commits().change(log, lease, newest -> new StoredTruncation(log).truncate(end, newest));
    }

    @Override
    public void trimTo(long start) {
        log.mustOwn(lease);
        shard.commits().change(log, lease, newest -> new StoredTruncation(log).trim(start, newest));
    }

    @Override
    public void roll() {
        log.roll(lease);
    }

    @Override
    public void configure(SegmentSizes sizes) {
        log.configure(sizes);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            shard.settleBeforeClose(log);
        }
    }
}
