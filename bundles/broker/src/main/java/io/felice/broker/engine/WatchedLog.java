package io.felice.broker.engine;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.extension.WatchedCalls.Running;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * A log of an engine whose calls are counted, watched and never trusted: what a third party's log throws becomes a {@link
 * io.felice.api.FeliceException} that names the engine, its bundle and the call, and a result that is null is a failure.
 * The offset at which the log starts is remembered, so that I/O threads need not ask the engine.
 */
public final class WatchedLog implements PartitionLog {
    private final PartitionLog log;
    private final MountedEngine engine;
    private final String id;
    private final String append;
    private final String read;
    private final String settle;
    private final String flush;

    private volatile long start;
    // The calls that began last, or the stages that are awaited; null if none was watched.
    private volatile Running appending;
    private volatile Running settling;
    private volatile Running flushing;

    WatchedLog(PartitionLog log, LogId id, MountedEngine engine) {
        this.log = log;
        this.engine = engine;
        this.id = id.toString();
        this.append = "append() of " + id;
        this.read = "read() of " + id;
        this.settle = "settle() of " + id;
        this.flush = "flush() of " + id;
        this.start = engine.asked("startOffset() of " + id, log::startOffset);
    }

    /**
     * Why the log cannot be used any more: an append, settle or flush of a third party's engine is later than the limit.
     * Any thread.
     */
    public Optional<String> late() {
        if (engine.isOwn()) {
            return Optional.empty();
        }
        for (Running call : new Running[] {appending, settling, flushing}) {
            Optional<String> where = call == null ? Optional.empty() : call.hanging();
            if (where.isPresent()) {
                return Optional.of(engine.subject() + " does not come back: " + where.get());
            }
        }
        return Optional.empty();
    }

    @Override
    public long startOffset() {
        return start;
    }

    @Override
    public long endOffset() {
        return engine.asked("endOffset() of " + id, log::endOffset);
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
        if (!engine.isWatchedHere()) {
            appendUnwatched(batch);
            return;
        }
        Running call = engine.begin(append);
        appending = call;
        Throwable failure = null;
        try {
            log.append(batch);
        } catch (Throwable thrown) {
            failure = thrown;
            throw engine.failed(append, thrown);
        } finally {
            call.ended(failure);
        }
    }

    private void appendUnwatched(RecordBatch batch) {
        Throwable failure = null;
        try {
            log.append(batch);
        } catch (Throwable thrown) {
            failure = thrown;
            throw engine.failed(append, thrown);
        } finally {
            engine.calls().count(failure);
        }
    }

    @Override
    public CompletionStage<Void> settle(long upTo) {
        Running call = engine.isWatchedHere() ? engine.begin(settle) : null;
        settling = call;
        CompletionStage<Void> settled = begun(call, settle, () -> log.settle(upTo));
        if (settled != DONE && !engine.isOwn()) {
            settling = engine.awaiting(settle, settled);
        }
        return settled;
    }

    @Override
    public CompletionStage<Void> flush(long upTo) {
        Running call = engine.isWatchedHere() ? engine.begin(flush) : null;
        flushing = call;
        CompletionStage<Void> flushed = begun(call, flush, () -> log.flush(upTo));
        if (flushed != DONE && !engine.isOwn()) {
            flushing = engine.awaiting(flush, flushed);
        }
        return flushed;
    }

    private interface Durable {
        CompletionStage<Void> begin();
    }

    /** @param watched null if the call is only counted */
    private CompletionStage<Void> begun(Running watched, String what, Durable call) {
        Throwable failure = null;
        try {
            return Objects.requireNonNull(call.begin(), "null instead of a stage");
        } catch (Throwable thrown) {
            failure = thrown;
            throw engine.failed(what, thrown);
        } finally {
            if (watched == null) {
                engine.calls().count(failure);
            } else {
                watched.ended(failure);
            }
        }
    }

    @Override
    public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        if (engine.isWatchedHere()) {
            return engine.asked(read, () -> log.read(from, limit, maxBytes, atLeastOne));
        }
        Throwable failure = null;
        try {
            return log.read(from, limit, maxBytes, atLeastOne);
        } catch (Throwable thrown) {
            failure = thrown;
            throw engine.failed(read, thrown);
        } finally {
            engine.calls().count(failure);
        }
    }

    /** No read of a third party's log runs on a caller's thread. */
    @Override
    public boolean isHot(long from) {
        return engine.isOwn() && log.isHot(from);
    }

    @Override
    public List<Segment> segments() {
        return engine.asked("segments() of " + id, log::segments);
    }

    @Override
    public long scanStartFor(long timestamp) {
        return engine.asked("scanStartFor() of " + id, () -> log.scanStartFor(timestamp));
    }

    @Override
    public Replacement replace(List<Segment> old) {
        return engine.asked("replace() of " + id, () -> new WatchedReplacement(log.replace(old)));
    }

    private final class WatchedReplacement implements Replacement {
        private final Replacement replacement;

        WatchedReplacement(Replacement replacement) {
            this.replacement = Objects.requireNonNull(replacement, "null instead of a replacement");
        }

        @Override
        public void append(RecordBatch batch) {
            call("append", () -> replacement.append(batch));
        }

        @Override
        public void prepare() {
            call("prepare", replacement::prepare);
        }

        @Override
        public void commit() {
            call("commit", replacement::commit);
        }

        @Override
        public void close() {
            call("close", replacement::close);
        }

        private void call(String method, Runnable call) {
            engine.told("Replacement." + method + "() of " + id, call);
        }
    }

    @Override
    public void truncateTo(long end) {
        moving(() -> engine.told("truncateTo() of " + id, () -> log.truncateTo(end)));
    }

    @Override
    public void trimTo(long newStart) {
        moving(() -> trim(newStart));
    }

    /** Only by a KAFKA_STORAGE_ERROR of the engine itself may a log be sound whose start was not moved. */
    private void trim(long newStart) {
        try {
            engine.told("trimTo() of " + id, () -> log.trimTo(newStart));
        } catch (FeliceException failure) {
            if (engine.isOwn() || EngineFailures.isAnswer(failure) || failure.getCause() instanceof FeliceException) {
                throw failure;
            }
            throw new IllegalStateException(failure.getMessage(), failure.getCause());
        }
    }

    private void moving(Runnable call) {
        try {
            call.run();
        } finally {
            start = engine.asked("startOffset() of " + id, log::startOffset);
        }
    }

    @Override
    public void roll() {
        engine.told("roll() of " + id, log::roll);
    }

    @Override
    public void configure(SegmentSizes sizes) {
        engine.told("configure() of " + id, () -> log.configure(sizes));
    }

    @Override
    public void deleteFilesAfter(Duration delay) {
        engine.told("deleteFilesAfter() of " + id, () -> log.deleteFilesAfter(delay));
    }

    @Override
    public void close() {
        engine.told("close() of " + id, log::close);
    }
}
