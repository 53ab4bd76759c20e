package io.felice.testkit;

import io.felice.api.RecordBatch;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

/** An engine that passes all calls on to another engine. Each log can be replaced by one that behaves differently. */
class DelegatingEngine implements StorageEngine {
    protected final StorageEngine engine;
    private final UnaryOperator<PartitionLog> logs;

    DelegatingEngine(StorageEngine engine) {
        this(engine, UnaryOperator.identity());
    }

    DelegatingEngine(StorageEngine engine, UnaryOperator<PartitionLog> logs) {
        this.engine = engine;
        this.logs = logs;
    }

    @Override
    public Set<EngineTrait> traits() {
        return engine.traits();
    }

    @Override
    public Volume volume() {
        return engine.volume();
    }

    @Override
    public void belongTo(String clusterId) {
        engine.belongTo(clusterId);
    }

    @Override
    public PartitionLog open(LogId id, long lease) {
        return logs.apply(engine.open(id, lease));
    }

    @Override
    public void delete(LogId id) {
        engine.delete(id);
    }

    @Override
    public void setAside(LogId id) {
        engine.setAside(id);
    }

    @Override
    public Set<LogId> logs() {
        return engine.logs();
    }

    /** A log that passes all calls on to another log. */
    static class Log implements PartitionLog {
        protected final PartitionLog log;

        Log(PartitionLog log) {
            this.log = log;
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
            log.append(batch);
        }

        @Override
        public void settle() {
            log.settle();
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
            return log.replace(old);
        }

        @Override
        public void truncateTo(long end) {
            log.truncateTo(end);
        }

        @Override
        public void trimTo(long start) {
            log.trimTo(start);
        }

        @Override
        public void roll() {
            log.roll();
        }

        @Override
        public void configure(SegmentSizes sizes) {
            log.configure(sizes);
        }

        @Override
        public void deleteFilesAfter(Duration delay) {
            log.deleteFilesAfter(delay);
        }

        @Override
        public void close() {
            log.close();
        }
    }

    /** A replacement that passes all calls on to another one. */
    static class Replacing implements Replacement {
        protected final Replacement replacement;

        Replacing(Replacement replacement) {
            this.replacement = replacement;
        }

        @Override
        public void append(RecordBatch batch) {
            replacement.append(batch);
        }

        @Override
        public void prepare() {
            replacement.prepare();
        }

        @Override
        public void commit() {
            replacement.commit();
        }

        @Override
        public void close() {
            replacement.close();
        }
    }
}
