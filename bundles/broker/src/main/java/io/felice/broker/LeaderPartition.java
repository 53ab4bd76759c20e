package io.felice.broker;

import static io.felice.api.ErrorCode.FENCED_LEADER_EPOCH;
import static io.felice.api.ErrorCode.INVALID_RECORD;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS;
import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;
import static io.felice.api.ErrorCode.POLICY_VIOLATION;
import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;
import static io.felice.api.ErrorCode.UNKNOWN_LEADER_EPOCH;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.SerialExecutor;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.records.Batches;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A partition that this node leads in one epoch.
 *
 * <p>Its one writer at a time is whoever owns {@link #line}: it checks sequences, assigns offsets and appends, nothing
 * else. What may block (the first write of an epoch, rolls, trims, the close) runs on the engine's threads while the line
 * holds back what arrives. Settling, the high watermark and the answers belong to no owner: whoever appended arranges for
 * them at the end of its turn.
 *
 * <p>An append is answered once the high watermark has passed it. With one replica that is what the log has made as
 * durable as the topic asks for.
 */
final class LeaderPartition implements Partition {
    private static final Logger logger = LoggerFactory.getLogger(LeaderPartition.class);
    private static final long SNAPSHOT_BYTES = 64L << 20;
    private static final long FLUSH_SECONDS = 10;
    /** From here on an engine may write a batch as it is appended, rather than keep it for the settle. */
    private static final int LARGE_BATCH_BYTES = 16 << 10;

    /** Learns that the log of a partition failed. Called once, on any thread. */
    interface Deaths {
        void died(LeaderPartition partition, Throwable cause);
    }

    /** Wants to know that the high watermark moved, or that the partition ended. Called on any thread. */
    interface Watcher {
        void moved();
    }

    /** What the producers were when the log ended at {@code offset}. */
    private record Snapshot(long offset, ByteBuffer bytes) {}

    /** What opening found. */
    record Opened(
            LogId id,
            int leaderEpoch,
            PartitionLog log,
            PartitionFiles files,
            Epochs epochs,
            Producers producers,
            long highWatermark,
            long snapshotOffset) {}

    private final TopicPartition partition;
    private final LogId id;
    private final int leaderEpoch;
    private final Node node;
    private final MountedEngine engine;
    private final PartitionLog log;
    private final PartitionFiles files;
    private final Epochs epochs;
    private final Producers producers;
    private final BrokerLimits limits;
    private final Deaths deaths;
    private final Runnable onFirstWrite;

    private final SerialExecutor line;
    private final Runnable endOfTurn = this::settleAtEndOfTurn;
    private final AtomicLong highWatermark;
    private final AtomicLong settledTo;
    private final AtomicReference<FeliceException> ended = new AtomicReference<>();
    private final Queue<PendingAppend> awaiting = new ConcurrentLinkedQueue<>();
    private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean offloading = new AtomicBoolean();
    private final AtomicBoolean flushing = new AtomicBoolean();
    private final AtomicReference<Snapshot> unwritten = new AtomicReference<>();
    /** Of the newest producer snapshot that is on disk; -1 if none is known to be. */
    private final AtomicLong snapshotOffset;

    private volatile Rules rules;
    private volatile PartitionState state;
    private volatile Turn armed;
    private volatile long logEnd;
    private volatile long appendedBytes;
    private volatile long lastFlushMs;

    // Of the line's owner.
    private final Deque<Runnable> held = new ArrayDeque<>();
    private boolean busy;
    private boolean prepared;
    private long rollAt;
    /** Bytes in the active segment, as far as the next roll is concerned. */
    private long segmentBytes;

    private long bytesSinceSnapshot;

    LeaderPartition(
            Opened opened,
            Node node,
            MountedEngine engine,
            PartitionState state,
            TopicConfig config,
            BrokerLimits limits,
            Runnable onFirstWrite,
            Deaths deaths) {
        this.id = opened.id();
        this.partition = new TopicPartition(id.topic(), id.partition());
        this.leaderEpoch = opened.leaderEpoch();
        this.node = node;
        this.engine = engine;
        this.log = opened.log();
        this.files = opened.files();
        this.epochs = opened.epochs();
        this.producers = opened.producers();
        this.snapshotOffset = new AtomicLong(opened.snapshotOffset());
        this.state = state;
        this.rules = Rules.of(config);
        this.limits = limits;
        this.onFirstWrite = onFirstWrite;
        this.deaths = deaths;
        this.logEnd = log.endOffset();
        this.settledTo = new AtomicLong(logEnd);
        this.highWatermark = new AtomicLong(opened.highWatermark());
        this.lastFlushMs = node.clock().millis();
        this.line = new SerialExecutor(task -> engine.execute(() -> {
            task.run();
            settleHere();
        }));
    }

    @Override
    public TopicPartition id() {
        return partition;
    }

    @Override
    public UUID topicId() {
        return id.topicId();
    }

    LogId logId() {
        return id;
    }

    MountedEngine engine() {
        return engine;
    }

    @Override
    public int leaderEpoch() {
        return leaderEpoch;
    }

    @Override
    public long logStartOffset() {
        return log.startOffset();
    }

    @Override
    public long highWatermark() {
        return highWatermark.get();
    }

    @Override
    public long lastStableOffset() {
        return highWatermark.get();
    }

    @Override
    public long logEndOffset() {
        return logEnd;
    }

    @Override
    public long sizeInBytes() {
        return log.segments().stream().mapToLong(Segment::sizeInBytes).sum();
    }

    /** Bytes appended since it was opened. */
    long appendedBytes() {
        return appendedBytes;
    }

    int producerCount() {
        return producers.count();
    }

    boolean isLeading() {
        return ended.get() == null;
    }

    @Override
    public void checkEpoch(int epoch) {
        if (epoch >= 0 && epoch < leaderEpoch) {
            throw FENCED_LEADER_EPOCH.because(partition + " is in leader epoch " + leaderEpoch + ", not " + epoch);
        }
        if (epoch > leaderEpoch) {
            throw UNKNOWN_LEADER_EPOCH.because(partition + " is in leader epoch " + leaderEpoch + ", not " + epoch);
        }
    }

    private void mustLead() {
        FeliceException why = ended.get();
        if (why != null) {
            throw why;
        }
    }

    /** A new configuration or state of the same epoch. */
    void update(PartitionState newState, TopicConfig config) {
        state = newState;
        Rules old = rules;
        if (!old.config().equals(config)) {
            rules = Rules.of(config);
            if (!old.sizes().equals(rules.sizes())) {
                own(() -> log.configure(rules.sizes()));
            }
            own(() -> rollAt = 0);
        }
    }

    // ---- append

    @Override
    public CompletionStage<Appended> append(ByteBuffer bytes, Acks acks, Origin origin, Duration timeout, Turn turn) {
        PendingAppend append;
        try {
            append = admit(bytes, acks, origin, timeout);
        } catch (RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        if (engine.appendsOnCaller()) {
            line.execute(append);
            arrange(turn);
        } else {
            line.later(append);
        }
        return append;
    }

    private PendingAppend admit(ByteBuffer bytes, Acks acks, Origin origin, Duration timeout) {
        mustLead();
        Rules now = rules;
        if (acks == Acks.ALL && state.isr().size() < now.minInsyncReplicas()) {
            throw NOT_ENOUGH_REPLICAS.because(partition + " has " + state.isr().size()
                    + " replicas in sync, min.insync.replicas is " + now.minInsyncReplicas());
        }
        List<RecordBatch> batches = Batches.split(bytes);
        if (batches.isEmpty()) {
            throw INVALID_RECORD.because("There is no batch to append to " + partition);
        }
        long millis = node.clock().millis();
        now.check(batches, origin, millis);
        if (now.stampsAppendTime()) {
            batches.forEach(batch -> Batches.stampAppendTime(batch, millis));
        }
        long deadline = node.nanos().getAsLong() + timeout.toNanos();
        return new PendingAppend(batches, acks, origin, now.stampsAppendTime() ? millis : -1, deadline);
    }

    /** An append on its way: waits in the line, is placed in the log, waits for the high watermark. */
    private final class PendingAppend extends CompletableFuture<Appended> implements Runnable {
        private final List<RecordBatch> batches;
        private final Acks acks;
        private final Origin origin;
        private final long appendTime;
        private final long deadline;
        private Appended result;

        PendingAppend(List<RecordBatch> batches, Acks acks, Origin origin, long appendTime, long deadline) {
            this.batches = batches;
            this.acks = acks;
            this.origin = origin;
            this.appendTime = appendTime;
            this.deadline = deadline;
        }

        /** In the line. */
        @Override
        public void run() {
            if (busy) {
                held.add(this);
                return;
            }
            try {
                mustLead();
                long now = node.clock().millis();
                if (!prepared || now >= rollAt) {
                    held.addFirst(this);
                    begin(() -> prepare(now));
                } else {
                    place(now);
                }
            } catch (RuntimeException refused) {
                completeExceptionally(refused);
            } catch (Error accident) {
                completeExceptionally(die(accident));
                throw accident;
            }
        }

        private void place(long now) {
            if (origin == Origin.CLIENT && batches.get(0).hasProducerId()) {
                Optional<Producers.Remembered> first = producers.check(batches.get(0));
                if (first.isPresent()) {
                    answerAsThen(first.get());
                    return;
                }
            }
            long end = logEnd;
            long bytes = 0;
            for (RecordBatch batch : batches) {
                batch.stamp(end, leaderEpoch);
                write(batch);
                if (batch.hasProducerId()) {
                    producers.appended(batch, now, limits.maxProducers());
                }
                end = batch.nextOffset();
                bytes += batch.sizeInBytes();
            }
            await(new Appended(batches.get(0).baseOffset(), end - 1, appendTime, log.startOffset()));
            appendedBytes += bytes;
            logEnd = end;
            snapshotAfter(bytes);
        }

        /** A duplicate gets the first answer, and not before the first one could be given. */
        private void answerAsThen(Producers.Remembered first) {
            long time = rules.stampsAppendTime() ? first.timestamp() : -1;
            await(new Appended(first.baseOffset(), first.lastOffset(), time, log.startOffset()));
        }

        private void await(Appended answer) {
            result = answer;
            awaiting.add(this);
            if (!isLeading()) {
                failAwaiting();
            }
        }

        long endOffset() {
            return result.lastOffset() + 1;
        }

        void answer() {
            if (acks == Acks.ALL && state.isr().size() < rules.minInsyncReplicas()) {
                completeExceptionally(NOT_ENOUGH_REPLICAS_AFTER_APPEND.because(
                        "Too few replicas of " + partition + " are in sync since it was appended"));
            } else {
                complete(result);
            }
        }

        void expire(long nanos) {
            if (nanos - deadline > 0) {
                completeExceptionally(REQUEST_TIMED_OUT.because(partition + " could not make it durable in time"));
            }
        }
    }

    private void write(RecordBatch batch) {
        int size = batch.sizeInBytes();
        boolean rolls = segmentBytes + size > rules.sizes().segmentBytes();
        segmentBytes = rolls ? size : segmentBytes + size;
        try {
            if (rolls || size >= LARGE_BATCH_BYTES) {
                engine.device().timedAppend(() -> log.append(batch));
            } else {
                log.append(batch);
            }
        } catch (RuntimeException failure) {
            throw die(failure);
        }
    }

    // ---- the line

    /** Runs a task as the writer, after what came before it. */
    private void own(Runnable task) {
        line.execute(() -> {
            if (busy) {
                held.add(task);
            } else {
                task.run();
            }
        });
        arrange(Turn.IMMEDIATE);
    }

    /** As the writer, on the engine's threads; completes with its result. What arrives meanwhile is held back. */
    private <T> CompletionStage<T> alone(Supplier<T> operation) {
        CompletableFuture<T> done = new CompletableFuture<>();
        own(() -> begin(() -> {
            try {
                T result = operation.get();
                done.complete(result);
            } catch (RuntimeException failure) {
                done.completeExceptionally(failure);
            } catch (Error accident) {
                done.completeExceptionally(die(accident));
                throw accident;
            }
        }));
        return done;
    }

    /** In the line: gives the right to write away until the operation is done. */
    private void begin(Runnable operation) {
        busy = true;
        Runnable work = () -> {
            try {
                operation.run();
            } catch (RuntimeException | Error failure) {
                die(failure);
            } finally {
                line.execute(this::resume);
                settleHere();
            }
        };
        try {
            engine.execute(work);
        } catch (Error noThread) {
            die(noThread);
            work.run();
        }
    }

    private void resume() {
        busy = false;
        while (!busy && !held.isEmpty()) {
            try {
                held.poll().run();
            } catch (RuntimeException | Error accident) {
                logger.error("Something that waited for {} failed", partition, accident);
            }
        }
    }

    /** Before the first append of this epoch, and when the active segment is old enough. */
    private void prepare(long now) {
        try {
            if (!prepared) {
                files.writeEpochs(epochs.entries());
                onFirstWrite.run();
                prepared = true;
            }
            rollIfOld(now);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because("The epochs of " + partition + " cannot be written", failure);
        }
    }

    private void rollIfOld(long now) {
        if (now < rollAt) {
            return;
        }
        List<Segment> segments = log.segments();
        Segment active = segments.get(segments.size() - 1);
        segmentBytes = active.sizeInBytes();
        long lifetime = lifetime();
        if (active.sizeInBytes() == 0) {
            rollAt = later(now, lifetime);
        } else if (later(active.createdAt(), lifetime) <= now) {
            log.roll();
            segmentBytes = 0;
            rollAt = later(now, lifetime);
            snapshotHere();
        } else {
            rollAt = later(active.createdAt(), lifetime);
        }
    }

    private long lifetime() {
        Rules now = rules;
        long jitter = Math.min(now.segmentJitterMs(), now.segmentMs());
        return now.segmentMs() - (jitter == 0 ? 0 : node.random().nextLong(jitter));
    }

    private static long later(long time, long by) {
        return time > Long.MAX_VALUE - by ? Long.MAX_VALUE : time + by;
    }

    // ---- settling, the high watermark and answers

    /** Sees to it that what was appended is settled: at the end of the turn, once however often it is asked for. */
    private void arrange(Turn turn) {
        if (logEnd <= highWatermark.get() && awaiting.isEmpty()) {
            return;
        }
        if (armed == turn) {
            return;
        }
        armed = turn;
        try {
            turn.atEnd(endOfTurn);
        } catch (RuntimeException | Error noTurn) {
            logger.error("The end of a turn is not to be had; {} settles at once", partition, noTurn);
            settleAtEndOfTurn();
        }
    }

    private void settleAtEndOfTurn() {
        armed = null;
        if (!engine.device().isSlow()) {
            settleHere();
        } else if (offloading.compareAndSet(false, true)) {
            engine.device().offloaded();
            engine.execute(() -> {
                offloading.set(false);
                settleHere();
            });
        }
    }

    /** Settles what was appended so far, on this thread, and answers what waited for it. */
    private void settleHere() {
        if (!isLeading()) {
            return;
        }
        long end = logEnd;
        Rules now = rules;
        if (end > settledTo.get() && now.durability() != Durability.NONE) {
            try {
                engine.device().timed(log::settle);
            } catch (RuntimeException | Error failure) {
                die(failure);
                return;
            }
        }
        settledTo.accumulateAndGet(end, Math::max);
        if (now.durability() == Durability.POWER) {
            flush();
        } else {
            durableTo(end);
            if (now.flushMessages() < Long.MAX_VALUE && end - log.flushedOffset() >= now.flushMessages()) {
                flush();
            }
        }
    }

    /** Flushes what is settled; one flush at a time, which takes along what was settled meanwhile in the next. */
    private void flush() {
        if (!flushing.compareAndSet(false, true)) {
            return;
        }
        long end = settledTo.get();
        lastFlushMs = node.clock().millis();
        flushed(end).whenComplete((nothing, failure) -> {
            flushing.set(false);
            if (failure != null) {
                die(FeliceException.unwrap(failure));
                return;
            }
            durableTo(end);
            if (settledTo.get() > end && rules.durability() == Durability.POWER) {
                flush();
            }
        });
    }

    private CompletionStage<Void> flushed(long end) {
        try {
            return log.flush(end);
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private void durableTo(long end) {
        long before = highWatermark.getAndAccumulate(end, Math::max);
        long now = Math.max(before, end);
        for (PendingAppend first = awaiting.peek();
                first != null && first.endOffset() <= now;
                first = awaiting.peek()) {
            if (awaiting.remove(first)) {
                first.answer();
            }
        }
        if (end > before) {
            wake();
        }
    }

    private void wake() {
        if (!watchers.isEmpty()) {
            watchers.forEach(Watcher::moved);
        }
    }

    void watch(Watcher watcher) {
        watchers.add(watcher);
    }

    void unwatch(Watcher watcher) {
        watchers.remove(watcher);
    }

    /** Every second or so: gives up what waits for too long, and flushes what the topic wants flushed by time. */
    void tick() {
        if (!awaiting.isEmpty()) {
            long nanos = node.nanos().getAsLong();
            awaiting.forEach(append -> append.expire(nanos));
        }
        Rules now = rules;
        if (now.flushMs() < Long.MAX_VALUE
                && node.clock().millis() - lastFlushMs >= now.flushMs()
                && isLeading()
                && settledTo.get() > log.flushedOffset()) {
            engine.execute(this::flush);
        }
    }

    // ---- the end

    /** The log has failed: nothing is appended any more, nothing that waits is answered as done. */
    private FeliceException die(Throwable cause) {
        FeliceException why = KAFKA_STORAGE_ERROR.because("The log of " + partition + " failed: " + cause, cause);
        if (end(why)) {
            deaths.died(this, cause);
        }
        return why;
    }

    private boolean end(FeliceException why) {
        boolean first = ended.compareAndSet(null, why);
        failAwaiting();
        wake();
        return first;
    }

    private void failAwaiting() {
        FeliceException why = ended.get();
        for (PendingAppend append = awaiting.poll(); append != null; append = awaiting.poll()) {
            append.completeExceptionally(why);
        }
    }

    /** Leadership is lost: from now on nothing of this epoch is answered as done. */
    void resign() {
        end(NOT_LEADER_OR_FOLLOWER.because("This node no longer leads " + partition));
    }

    /**
     * Answers what was accepted, keeps what makes the next opening quick, and lets go of the log. Every later call fails
     * with NOT_LEADER_OR_FOLLOWER.
     */
    CompletionStage<Void> close() {
        return alone(() -> {
            try {
                if (isLeading()) {
                    finish();
                }
                if (settledTo.get() == logEnd && snapshotOffset.get() != logEnd && !isDead()) {
                    snapshotHere();
                }
            } finally {
                resign();
                log.close();
            }
            return null;
        });
    }

    private boolean isDead() {
        FeliceException why = ended.get();
        return why != null && why.code() == KAFKA_STORAGE_ERROR;
    }

    private void finish() {
        settleHere();
        if (rules.durability() == Durability.POWER && isLeading()) {
            long end = logEnd;
            try {
                log.flush(end).toCompletableFuture().get(FLUSH_SECONDS, TimeUnit.SECONDS);
                durableTo(end);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            } catch (Exception failure) {
                logger.warn("{} could not be flushed: {}", partition, failure.toString());
            }
        }
    }

    // ---- producer snapshots

    private void snapshotAfter(long bytes) {
        bytesSinceSnapshot += bytes;
        if (bytesSinceSnapshot >= Math.min(SNAPSHOT_BYTES, rules.sizes().segmentBytes())) {
            bytesSinceSnapshot = 0;
            Snapshot taken = new Snapshot(logEnd, producers.snapshot());
            if (unwritten.getAndSet(taken) == null) {
                node.background().execute(this::writeTaken);
            }
        }
    }

    /** Not after the end: the log may have been opened again by then, without the records that the snapshot knows. */
    private void writeTaken() {
        Snapshot newest = unwritten.getAndSet(null);
        if (newest != null && isLeading()) {
            write(newest);
        }
    }

    /** Alone, on a pool thread. */
    private void snapshotHere() {
        bytesSinceSnapshot = 0;
        write(new Snapshot(logEnd, producers.snapshot()));
    }

    /** A snapshot that cannot be written costs a longer scan at the next start, no more. */
    private void write(Snapshot snapshot) {
        try {
            files.writeSnapshot(snapshot.offset(), snapshot.bytes());
            snapshotOffset.accumulateAndGet(snapshot.offset(), Math::max);
        } catch (IOException failure) {
            logger.warn(
                    "No producer snapshot of {} at offset {}: {}", partition, snapshot.offset(), failure.toString());
        }
    }

    // ---- reading

    private long endOf(ReadLimit limit) {
        return switch (limit) {
            case LOG_END -> logEnd;
            case HIGH_WATERMARK -> highWatermark();
            case LAST_STABLE_OFFSET -> lastStableOffset();
        };
    }

    boolean isHot(long from) {
        return from >= logEnd || log.isHot(from);
    }

    /** Reads at once; blocks if {@code from} is not hot. */
    Records readHere(long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        mustLead();
        long start = log.startOffset();
        if (from < start || from > logEnd) {
            throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + logEnd + " of " + partition);
        }
        long end = endOf(limit);
        return from >= end ? Records.EMPTY : log.read(from, end, maxBytes, atLeastOne);
    }

    @Override
    public CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit) {
        if (!isHot(from)) {
            return onPool(() -> readHere(from, maxBytes, limit, true));
        }
        try {
            return CompletableFuture.completedFuture(readHere(from, maxBytes, limit, true));
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private <T> CompletionStage<T> onPool(Supplier<T> work) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return work.get();
                    } catch (RuntimeException failure) {
                        throw new CompletionException(failure);
                    }
                },
                engine);
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        mustLead();
        return epochs.endOf(epoch, logEnd);
    }

    @Override
    public int epochOf(long offset) {
        return epochs.of(offset);
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return onPool(() -> {
            mustLead();
            return TimestampSearch.first(log, timestamp, endOf(limit));
        });
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return onPool(() -> {
            mustLead();
            return TimestampSearch.newest(log, highWatermark());
        });
    }

    // ---- trimming

    @Override
    public CompletionStage<Long> deleteRecords(long before) {
        try {
            mustLead();
            if (!rules.config().getList(TopicConfig.CLEANUP_POLICY).contains("delete")) {
                throw POLICY_VIOLATION.because("Records of " + partition + " cannot be deleted: it is only compacted");
            }
            long end = highWatermark();
            long to = before == -1 ? end : before;
            if (to < 0 || to > end) {
                throw OFFSET_OUT_OF_RANGE.because(to + " is beyond the high watermark of " + partition + ", " + end);
            }
            return alone(() -> trim(to));
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private long trim(long to) {
        mustLead();
        if (to > log.startOffset()) {
            try {
                rememberProducersOf(to);
                log.trimTo(to);
            } catch (RuntimeException failure) {
                throw die(failure);
            }
            epochs.trimTo(to);
            wake();
        }
        return log.startOffset();
    }

    /** What the snapshots do not know yet cannot be learnt from records that are gone. */
    private void rememberProducersOf(long to) {
        if (snapshotOffset.get() < to) {
            log.settle();
            snapshotHere();
        }
    }

    /** Drops what the topic no longer keeps, and producers that have been idle for long. Blocks; a pool thread. */
    void retain() {
        if (!isLeading()) {
            return;
        }
        long now = node.clock().millis();
        long to = Retention.trimPoint(log.segments(), rules.config(), highWatermark(), now);
        if (to > log.startOffset()) {
            alone(() -> trim(to)).whenComplete((start, failure) -> {
                if (failure == null) {
                    logger.info("{} starts at offset {} now: older records are past their retention", partition, start);
                }
            });
        }
        own(() -> producers.expire(now - limits.producerExpirationMs()));
    }
}
