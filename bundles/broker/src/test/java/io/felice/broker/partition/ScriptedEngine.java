package io.felice.broker.partition;

import static io.felice.api.ErrorCode.INCONSISTENT_CLUSTER_ID;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

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
import io.felice.storage.memory.MemoryStorageEngine;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The memory engine, or another one, with the traits of a durable engine; a test controls faults, delays and flushes.
 */
public final class ScriptedEngine implements StorageEngine {
    private final StorageEngine logs;
    public final Set<LogId> failing = ConcurrentHashMap.newKeySet();
    public final AtomicInteger settles = new AtomicInteger();
    public final AtomicInteger flushesAsked = new AtomicInteger();
    public final AtomicInteger rolls = new AtomicInteger();
    public final AtomicInteger opens = new AtomicInteger();
    public final AtomicInteger reads = new AtomicInteger();
    public final List<LogId> deleted = new CopyOnWriteArrayList<>();
    public final ConcurrentLinkedQueue<CompletableFuture<Void>> flushes = new ConcurrentLinkedQueue<>();
    public final Set<String> settledOn = ConcurrentHashMap.newKeySet();
    public final Set<String> appendedOn = ConcurrentHashMap.newKeySet();
    public volatile Runnable onSettle = () -> {};
    public volatile Runnable onAppend = () -> {};
    public volatile Runnable onOpen = () -> {};
    public volatile Runnable onTraits = () -> {};
    public volatile Runnable onVolume = () -> {};
    public volatile Runnable onRead = () -> {};
    /** Before a batch is added to a new segment, and before a new segment is committed. */
    public volatile Runnable onReplacing = () -> {};

    public volatile Runnable onReplace = () -> {};
    public volatile Runnable onClose = () -> {};
    public final AtomicInteger replaces = new AtomicInteger();
    public final Set<LogId> setAside = ConcurrentHashMap.newKeySet();
    /** The cluster that the logs belong to; null for the node's cluster. */
    public volatile String otherCluster;

    public volatile boolean flushesAtOnce = true;
    /** False if a settle ends when the test completes it in {@link #pendingSettles}. */
    public volatile boolean settlesAtOnce = true;

    public final ConcurrentLinkedQueue<CompletableFuture<Void>> pendingSettles = new ConcurrentLinkedQueue<>();
    public volatile boolean cold;
    /** So many of its last records does the log lose that is opened next. */
    public volatile long loses;

    public volatile Set<EngineTrait> traits = Set.of(EngineTrait.values());
    public volatile long usable = -1;
    /** Every read fails like this; null if reads work. */
    public volatile RuntimeException readFailure;
    /** Writes fail for want of free space; logs can be opened, read and trimmed. */
    public volatile boolean noSpace;

    /** True if appends fail for want of free space; false if settles do. */
    public volatile boolean writesThrough;

    public ScriptedEngine(Clock clock) {
        this(new MemoryStorageEngine(1L << 30, clock));
    }

    public ScriptedEngine(StorageEngine logs) {
        this.logs = logs;
    }

    @Override
    public Set<EngineTrait> traits() {
        onTraits.run();
        return traits;
    }

    @Override
    public Volume volume() {
        onVolume.run();
        return new Volume("scripted:", -1, usable);
    }

    @Override
    public PartitionLog open(LogId id, long lease) {
        opens.incrementAndGet();
        onOpen.run();
        mustWork(id);
        PartitionLog opened = logs.open(id, lease);
        opened.truncateTo(Math.max(opened.startOffset(), opened.endOffset() - loses));
        loses = 0;
        return new Log(id, opened);
    }

    @Override
    public void delete(LogId id) {
        deleted.add(id);
        logs.delete(id);
    }

    @Override
    public void belongTo(String clusterId) {
        if (otherCluster != null) {
            throw INCONSISTENT_CLUSTER_ID.because("The logs belong to cluster " + otherCluster);
        }
    }

    @Override
    public void setAside(LogId id) {
        setAside.add(id);
        logs.setAside(id);
    }

    @Override
    public Set<LogId> logs() {
        return logs.logs();
    }

    private void mustWork(LogId id) {
        if (failing.contains(id)) {
            throw KAFKA_STORAGE_ERROR.because("No space left on device");
        }
    }

    private final class Log implements PartitionLog {
        private final LogId id;
        private final PartitionLog log;
        private volatile long settled;
        private volatile long flushed;
        private volatile boolean dead;

        Log(LogId id, PartitionLog log) {
            this.id = id;
            this.log = log;
            this.settled = log.endOffset();
            this.flushed = log.endOffset();
        }

        private void mustLive() {
            dead |= failing.contains(id);
            if (dead) {
                throw KAFKA_STORAGE_ERROR.because("No space left on device");
            }
        }

        private void mustHaveSpace() {
            dead |= noSpace;
            mustLive();
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
            return flushed;
        }

        @Override
        public long settledOffset() {
            return settled;
        }

        @Override
        public boolean hasFailed() {
            dead |= failing.contains(id);
            return dead;
        }

        @Override
        public void append(RecordBatch batch) {
            mustLive();
            if (writesThrough) {
                mustHaveSpace();
            }
            onAppend.run();
            appendedOn.add(Thread.currentThread().getName());
            log.append(batch);
        }

        @Override
        public CompletionStage<Void> settle(long upTo) {
            mustLive();
            long end = log.endOffset();
            if (end <= settled) {
                return DONE;
            }
            mustHaveSpace();
            settles.incrementAndGet();
            settledOn.add(Thread.currentThread().getName());
            onSettle.run();
            if (settlesAtOnce) {
                settled = end;
                return DONE;
            }
            CompletableFuture<Void> asked = new CompletableFuture<>();
            asked.whenComplete((nothing, failure) -> {
                dead |= failure != null;
                settled = failure == null ? Math.max(settled, Math.min(end, log.endOffset())) : settled;
            });
            pendingSettles.add(asked);
            return asked;
        }

        @Override
        public CompletionStage<Void> flush(long upTo) {
            mustLive();
            flushesAsked.incrementAndGet();
            CompletableFuture<Void> done = new CompletableFuture<>();
            CompletableFuture<Void> asked = new CompletableFuture<>();
            asked.whenComplete((nothing, failure) -> {
                if (failure != null) {
                    dead = true;
                    done.completeExceptionally(failure);
                    return;
                }
                flushed = Math.max(flushed, upTo);
                done.complete(null);
            });
            if (flushesAtOnce || upTo <= flushed) {
                asked.complete(null);
            } else {
                flushes.add(asked);
            }
            return done;
        }

        @Override
        public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
            if (readFailure != null) {
                throw readFailure;
            }
            onRead.run();
            reads.incrementAndGet();
            return log.read(from, limit, maxBytes, atLeastOne);
        }

        @Override
        public boolean isHot(long from) {
            return !cold;
        }

        @Override
        public List<Segment> segments() {
            return log.segments();
        }

        @Override
        public Replacement replace(List<Segment> old) {
            mustLive();
            return new Watched(log.replace(old));
        }

        private final class Watched implements Replacement {
            private final Replacement replacement;

            Watched(Replacement replacement) {
                this.replacement = replacement;
            }

            @Override
            public void append(RecordBatch batch) {
                mustLive();
                onReplacing.run();
                replacement.append(batch);
            }

            @Override
            public void prepare() {
                mustLive();
                replacement.prepare();
            }

            @Override
            public void commit() {
                mustLive();
                onReplace.run();
                replacement.commit();
                replaces.incrementAndGet();
            }

            @Override
            public void close() {
                replacement.close();
            }
        }

        @Override
        public void truncateTo(long end) {
            log.truncateTo(end);
            settled = Math.min(settled, log.endOffset());
        }

        @Override
        public void trimTo(long start) {
            mustLive();
            log.trimTo(start);
        }

        @Override
        public void roll() {
            mustLive();
            rolls.incrementAndGet();
            log.roll();
        }

        @Override
        public void configure(SegmentSizes sizes) {
            log.configure(sizes);
        }

        @Override
        public void close() {
            onClose.run();
            log.close();
        }
    }
}
