package io.felice.broker.partition;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition;
import io.felice.api.storage.Records;
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
 * The role of a replica that leads in one leader epoch. The {@link Appender} writes, the {@link HighWatermark} says
 * which records are committed, the {@link Leadership} answers appends. Reads run on the caller's thread, or on the
 * engine's if they may block. Any thread.
 */
public final class LeaderPartition implements Partition, Role {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderPartition.class);

    private final Environment environment;
    private final Leadership leadership;
    private final Appender appender;
    private final Watchers watchers = new Watchers();
    private volatile OpenedLog log;

    LeaderPartition(OpenedLog log, PartitionState state, BatchAdmission admission, Environment environment) {
        this.log = log;
        this.environment = environment;
        leadership =
                new Leadership(log.partition(), state, () -> this.log.rules().minInsyncReplicas());
        appender = new Appender(leadership, log, admission, environment);
    }

    @Override
    public TopicPartition id() {
        return log.partition();
    }

    @Override
    public UUID topicId() {
        return log.id().topicId();
    }

    public OpenedLog log() {
        return log;
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
        return log.highWatermark();
    }

    @Override
    public long lastStableOffset() {
        return log.highWatermark();
    }

    @Override
    public long logEndOffset() {
        return log.endOffset();
    }

    @Override
    public long sizeInBytes() {
        return log.sizeInBytes();
    }

    public long appendedBytes() {
        return log.appendedBytes();
    }

    @Override
    public LeaderPartition leading() {
        return this;
    }

    @Override
    public boolean isOf(int epoch) {
        return epoch == leaderEpoch();
    }

    public boolean isLeading() {
        return leadership.isOn();
    }

    @Override
    public void checkEpoch(int epoch) {
        leadership.checkEpoch(epoch);
    }

    // ---- writing

    @Override
    public CompletionStage<Appended> append(ByteBuffer bytes, Acks acks, Origin origin, Duration timeout, Turn turn) {
        return appender.append(bytes, acks, origin, timeout, turn);
    }

    @Override
    public CompletionStage<Long> deleteRecords(long before) {
        try {
            leadership.mustBeOn();
            return log.moveStartTo(log.logStart().ifDeletedBefore(before));
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    // ---- reading

    public long endOf(ReadLimit limit) {
        return endOf(limit, log);
    }

    private static long endOf(ReadLimit limit, OpenedLog log) {
        return switch (limit) {
            case LOG_END -> log.endOffset();
            case HIGH_WATERMARK, LAST_STABLE_OFFSET -> log.highWatermark();
        };
    }

    public boolean isHot(long from) {
        return log.isHot(from);
    }

    /** Reads on the caller's thread; blocks if {@code from} is not hot. */
    public Records readHere(long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        leadership.mustBeOn();
        OpenedLog now = log;
        try {
            return read(now, from, maxBytes, limit, atLeastOne);
        } catch (FeliceException failure) {
            if (log == now) {
                throw failure;
            }
            // A copy took the place of the log while it was read.
            return readHere(from, maxBytes, limit, atLeastOne);
        }
    }

    private Records read(OpenedLog log, long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        long start = log.startOffset();
        long logEnd = log.endOffset();
        if (from < start || from > logEnd) {
            throw OFFSET_OUT_OF_RANGE.because(from + " is not in " + start + ".." + logEnd + " of " + id());
        }
        long end = endOf(limit, log);
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
                log.engine());
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        leadership.mustBeOn();
        return log.epochs().endOf(epoch, logEndOffset());
    }

    /** Where a reader's log and this one diverge; empty if the reader may go on. As {@link Epochs#divergence}. */
    public Optional<EpochEnd> divergence(int lastFetchedEpoch, long fetchOffset) {
        leadership.mustBeOn();
        return log.epochs().divergence(lastFetchedEpoch, fetchOffset, logEndOffset());
    }

    @Override
    public int epochOf(long offset) {
        return log.epochs().of(offset);
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return onPool(() -> {
            leadership.mustBeOn();
            return TimestampSearch.first(log.engineLog(), timestamp, endOf(limit));
        });
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return onPool(() -> {
            leadership.mustBeOn();
            return TimestampSearch.newest(log.engineLog(), highWatermark());
        });
    }

    /** @param isReplica true if every append wakes the watcher; false if only committed records do */
    public void watch(Watcher watcher, boolean isReplica) {
        watchers.add(watcher, isReplica);
    }

    public void unwatch(Watcher watcher, boolean isReplica) {
        watchers.remove(watcher, isReplica);
    }

    /**
     * A replica fetches from {@code offset} on, which acknowledges all records below.
     *
     * @throws FeliceException NOT_LEADER_OR_FOLLOWER if the broker is this one or has no replica of the partition
     */
    public void fetchedBy(int replica, long offset) {
        if (replica == environment.brokerId() || !leadership.state().replicas().contains(replica)) {
            throw NOT_LEADER_OR_FOLLOWER.because("Broker " + replica + " is no follower of " + id());
        }
        if (log.watermark().fetchedFrom(replica, offset)) {
            committed();
        }
    }

    // ---- regular work

    /** About every second: fails the appends whose deadline has passed, and flushes the log if it is time. */
    public void tick() {
        if (leadership.isAwaited()) {
            leadership.expire(environment.nanos().getAsLong());
        }
        log.tick();
    }

    /** Removes the records that are past their retention, and expired producers. Blocks; pool threads only. */
    public void retain() {
        if (!isLeading()) {
            return;
        }
        long to = log.logStart().ifRetained(log.nowMs());
        if (to > log.startOffset()) {
            log.moveStartTo(to).whenComplete((start, failure) -> {
                if (failure == null) {
                    LOG.info(
                            "{} starts at offset {} now: older records were past their retention and are deleted",
                            id(),
                            start);
                }
            });
        }
        log.expireProducers();
    }

    /** Takes a newer state of the same leader epoch. */
    public void update(PartitionState state) {
        leadership.update(state);
        if (log.watermark().inSync(state.isr())) {
            committed();
        }
    }

    // ---- what the log reports

    @Override
    public void movedTo(OpenedLog copy) {
        copy.watermark().lead(leadership.state().isr(), copy.durableEnd());
        log = copy;
        appender.moveTo(copy);
    }

    @Override
    public void durableTo(long end) {
        leadership.durableTo(end);
        boolean moved = log.watermark().durableTo(end);
        leadership.committedTo(highWatermark());
        if (moved) {
            watchers.changed();
        } else {
            watchers.appended();
        }
    }

    private void committed() {
        leadership.committedTo(highWatermark());
        watchers.changed();
    }

    @Override
    public boolean isAwaited() {
        return leadership.isAwaited();
    }

    @Override
    public void startMoved() {
        watchers.changed();
    }

    @Override
    public void end(FeliceException why) {
        leadership.end(why);
        appender.end(why);
        watchers.changed();
    }

    /** Ends the role: another leader or leader epoch begins. */
    public void resign() {
        end(NOT_LEADER_OR_FOLLOWER.because("This node no longer leads " + id()));
    }
}
