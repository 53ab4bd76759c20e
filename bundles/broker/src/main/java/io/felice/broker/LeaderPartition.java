package io.felice.broker;

import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A partition that this node leads in one epoch, put together: an append is admitted and placed by the {@link Appender}
 * as the {@link SingleWriter}, made durable by the {@link Committer}, and answered by the {@link HighWatermark} once that
 * has passed it. Reads need none of them: they look at the log from whichever thread asks. Any thread.
 */
final class LeaderPartition implements Partition {
    private static final Logger logger = LoggerFactory.getLogger(LeaderPartition.class);

    /** Learns that the log of a partition failed. Called once, on any thread. */
    interface Deaths {
        void died(LeaderPartition partition, Throwable cause);
    }

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

    private final LogId id;
    private final Node node;
    private final MountedEngine engine;
    private final PartitionLog log;
    private final Epochs epochs;
    private final Producers producers;
    private final BrokerLimits limits;

    private final Leadership leadership;
    private final HighWatermark highWatermark;
    private final Committer committer;
    private final SingleWriter writer;
    private final ProducerSnapshots snapshots;
    private final Appender appender;
    private final LogStart logStart;
    private final Compaction compaction;

    /** @param onFirstWrite runs on a pool thread before the first append of this epoch */
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
        this.node = node;
        this.engine = engine;
        this.log = opened.log();
        this.epochs = opened.epochs();
        this.producers = opened.producers();
        this.limits = limits;
        TopicPartition partition = new TopicPartition(id.topic(), id.partition());
        highWatermark = new HighWatermark(opened.highWatermark());
        leadership = new Leadership(
                partition,
                opened.leaderEpoch(),
                state,
                config,
                engine.room(),
                highWatermark,
                cause -> deaths.died(this, cause));
        committer = new Committer(leadership, log, engine, node, highWatermark);
        writer = new SingleWriter(leadership, engine, committer);
        snapshots = new ProducerSnapshots(leadership, producers, opened.files(), node, opened.snapshotOffset());
        appender = new Appender(leadership, log, engine, node, writer, committer, producers, snapshots, limits, () -> {
            opened.files().writeEpochs(epochs.entries());
            onFirstWrite.run();
        });
        logStart = new LogStart(leadership, log, engine.room(), highWatermark, committer, epochs, snapshots);
        compaction = new Compaction(leadership, log, engine, node, highWatermark, writer, producers);
    }

    @Override
    public TopicPartition id() {
        return leadership.partition();
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
        return leadership.leaderEpoch();
    }

    @Override
    public long logStartOffset() {
        return log.startOffset();
    }

    @Override
    public long highWatermark() {
        return highWatermark.offset();
    }

    @Override
    public long lastStableOffset() {
        return highWatermark.offset();
    }

    @Override
    public long logEndOffset() {
        return committer.logEnd();
    }

    @Override
    public long sizeInBytes() {
        return log.segments().stream().mapToLong(Segment::sizeInBytes).sum();
    }

    /** Bytes appended since it was opened. */
    long appendedBytes() {
        return appender.appendedBytes();
    }

    int producerCount() {
        return producers.count();
    }

    boolean isLeading() {
        return leadership.isLeading();
    }

    @Override
    public void checkEpoch(int epoch) {
        leadership.checkEpoch(epoch);
    }

    // ---- writing

    @Override
    public CompletionStage<Appended> append(ByteBuffer bytes, Acks acks, Origin origin, Duration timeout, Turn turn) {
        PendingAppend append;
        try {
            append = appender.admit(bytes, acks, origin, timeout);
        } catch (RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        writer.append(append, turn);
        return append;
    }

    @Override
    public CompletionStage<Long> deleteRecords(long before) {
        try {
            leadership.mustLead();
            long to = logStart.ifDeletedBefore(before);
            return writer.executeAlone(() -> logStart.moveTo(to));
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    // ---- reading

    private long endOf(ReadLimit limit) {
        return switch (limit) {
            case LOG_END -> logEndOffset();
            case HIGH_WATERMARK -> highWatermark();
            case LAST_STABLE_OFFSET -> lastStableOffset();
        };
    }

    boolean isHot(long from) {
        return from >= logEndOffset() || log.isHot(from);
    }

    /** Reads at once; blocks if {@code from} is not hot. */
    Records readHere(long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        leadership.mustLead();
        long start = log.startOffset();
        long logEnd = logEndOffset();
        if (from < start || from > logEnd) {
            throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + logEnd + " of " + id());
        }
        long end = endOf(limit);
        boolean nothing = from >= end || (maxBytes <= 0 && !atLeastOne);
        return nothing ? Records.EMPTY : log.read(from, end, maxBytes, atLeastOne);
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
        leadership.mustLead();
        return epochs.endOf(epoch, logEndOffset());
    }

    @Override
    public int epochOf(long offset) {
        return epochs.of(offset);
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return onPool(() -> {
            leadership.mustLead();
            return TimestampSearch.first(log, timestamp, endOf(limit));
        });
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return onPool(() -> {
            leadership.mustLead();
            return TimestampSearch.newest(log, highWatermark());
        });
    }

    void watch(HighWatermark.Watcher watcher) {
        highWatermark.watch(watcher);
    }

    void unwatch(HighWatermark.Watcher watcher) {
        highWatermark.unwatch(watcher);
    }

    // ---- regular work

    /** Every second or so: gives up what waits for too long, and flushes what the topic wants flushed by time. */
    void tick() {
        if (highWatermark.isAwaited()) {
            highWatermark.expireAwaiting(node.nanos().getAsLong());
        }
        committer.flushByTime();
    }

    /** Drops what the topic no longer keeps, and producers that have been idle for long. Blocks; a pool thread. */
    void retain() {
        if (!isLeading()) {
            return;
        }
        long now = node.clock().millis();
        long to = logStart.ifRetained(now);
        if (to > log.startOffset()) {
            writer.executeAlone(() -> logStart.moveTo(to)).whenComplete((start, failure) -> {
                if (failure == null) {
                    logger.info("{} starts at offset {} now: older records are past their retention", id(), start);
                }
            });
        }
        writer.execute(() -> producers.expire(now - limits.producerExpirationMs()));
    }

    /**
     * Lets go of records that have a later one of the same key, if the topic wants that. On the engine's threads, one call
     * at a time; never fails.
     */
    CompletionStage<Void> compact() {
        return compaction.run(Compaction.MOST_KEYS);
    }

    Compaction compaction() {
        return compaction;
    }

    /** A new configuration or state of the same epoch. */
    void update(PartitionState state, TopicConfig config) {
        Rules old = leadership.update(state, config);
        Rules rules = leadership.rules();
        if (old != rules) {
            writer.execute(() -> appender.rulesChanged(!old.sizes().equals(rules.sizes())));
        }
    }

    // ---- the end

    /** True if it ended because there was no room, so that its log can be opened again at once. */
    boolean ranOutOfRoom() {
        return leadership.ranOutOfRoom();
    }

    /** Leadership is lost: from now on nothing of this epoch is answered as done. */
    void resign() {
        leadership.resign();
    }

    /**
     * Answers what was accepted, keeps what makes the next opening quick, and lets go of the log. Every later call fails
     * with NOT_LEADER_OR_FOLLOWER.
     */
    CompletionStage<Void> close() {
        return writer.executeAlone(() -> {
            try {
                if (isLeading()) {
                    committer.finish();
                }
                if (committer.isSettled() && !snapshots.cover(logEndOffset()) && !leadership.isDead()) {
                    snapshots.takeAt(logEndOffset());
                }
            } finally {
                resign();
                snapshots.close();
                log.close();
            }
            return null;
        });
    }
}
