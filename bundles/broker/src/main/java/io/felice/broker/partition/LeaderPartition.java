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
 * The role of a replica that leads in one leader epoch: what clients and the coordinator see of a partition. The
 * {@link Appender} writes, the {@link HighWatermark} says what is committed, the {@link Leadership} answers the appends
 * that wait for it. Reads look at the opened log from whichever thread asks. Any thread.
 */
public final class LeaderPartition implements Partition, Role {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderPartition.class);

    private final OpenedLog log;
    private final Environment environment;
    private final HighWatermark highWatermark;
    private final Leadership leadership;
    private final Appender appender;
    private final Watchers watchers = new Watchers();

    LeaderPartition(OpenedLog log, PartitionState state, BatchAdmission admission, Environment environment) {
        this.log = log;
        this.environment = environment;
        this.highWatermark = log.watermark();
        leadership = new Leadership(log.partition(), state, () -> log.rules().minInsyncReplicas());
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
        return highWatermark.offset();
    }

    @Override
    public long lastStableOffset() {
        return highWatermark.offset();
    }

    @Override
    public long logEndOffset() {
        return log.endOffset();
    }

    @Override
    public long sizeInBytes() {
        return log.sizeInBytes();
    }

    /** Bytes appended since the log was opened. */
    public long appendedBytes() {
        return log.appendedBytes();
    }

    @Override
    public LeaderPartition leader() {
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

    /** Where a reader's records end. */
    public long endOf(ReadLimit limit) {
        return switch (limit) {
            case LOG_END -> logEndOffset();
            case HIGH_WATERMARK -> highWatermark();
            case LAST_STABLE_OFFSET -> lastStableOffset();
        };
    }

    public boolean isHot(long from) {
        return log.isHot(from);
    }

    /** Reads at once; blocks if {@code from} is not hot. */
    public Records readHere(long from, int maxBytes, ReadLimit limit, boolean atLeastOne) {
        leadership.mustBeOn();
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
                log.engine());
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        leadership.mustBeOn();
        return log.epochs().endOf(epoch, logEndOffset());
    }

    /** Where a reader's log and this one part; empty if the reader may go on. As {@link Epochs#divergence}. */
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

    /** @param isReplica true if the watcher wants to know of every append, not only of what is committed */
    public void watch(Watcher watcher, boolean isReplica) {
        watchers.add(watcher, isReplica);
    }

    public void unwatch(Watcher watcher, boolean isReplica) {
        watchers.remove(watcher, isReplica);
    }

    /**
     * A replica fetches from {@code offset} on, and so says that it has every record below.
     *
     * @throws FeliceException NOT_LEADER_OR_FOLLOWER if the partition has no such replica elsewhere
     */
    public void fetchedBy(int replica, long offset) {
        if (replica == environment.brokerId() || !leadership.state().replicas().contains(replica)) {
            throw NOT_LEADER_OR_FOLLOWER.because("Broker " + replica + " has no replica to fetch for of " + id());
        }
        if (highWatermark.fetchedFrom(replica, offset)) {
            committed();
        }
    }

    // ---- regular work

    /** Every second or so: fails appends that wait for too long. */
    public void tick() {
        if (leadership.isAwaited()) {
            leadership.expire(environment.nanos().getAsLong());
        }
        log.tick();
    }

    /** Removes what the topic no longer keeps, and producers that have been idle for long. Blocks; a pool thread. */
    public void retain() {
        if (!isLeading()) {
            return;
        }
        long to = log.logStart().ifRetained(log.nowMs());
        if (to > log.startOffset()) {
            log.moveStartTo(to).whenComplete((start, failure) -> {
                if (failure == null) {
                    LOG.info("{} starts at offset {} now: older records are past their retention", id(), start);
                }
            });
        }
        log.expireProducers();
    }

    /** A newer state of the same leader epoch. */
    public void update(PartitionState state) {
        leadership.update(state);
        if (highWatermark.inSync(state.isr())) {
            committed();
        }
    }

    // ---- what the log reports

    @Override
    public void durableTo(long end) {
        leadership.durableTo(end);
        boolean moved = highWatermark.durableTo(end);
        leadership.committedTo(highWatermark.offset());
        if (moved) {
            watchers.changed();
        } else {
            watchers.appended();
        }
    }

    private void committed() {
        leadership.committedTo(highWatermark.offset());
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
        watchers.changed();
    }

    /** Another epoch or another broker is next: no append of this epoch is answered as done from now on. */
    public void resign() {
        end(NOT_LEADER_OR_FOLLOWER.because("This node no longer leads " + id()));
    }
}
