package io.felice.broker.partition;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.OFFSET_NOT_AVAILABLE;

import io.felice.api.FeliceException;
import io.felice.api.Turn;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The role of a replica that leads in one leader epoch. The {@link Appender} writes, the {@link HighWatermark} says
 * which records are committed, the {@link Leadership} answers appends. Reads run on the caller's thread, or on the
 * engine's if they may block. Any thread.
 */
public final class LeaderPartition extends ReadableRole implements Partition {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderPartition.class);

    private static final long NOT_COMPACTED = -1;

    private final Environment environment;
    private final LeaderHost host;
    private final Leadership leadership;
    private final Appender appender;
    private final Deletions deletions = new Deletions();
    /** Used by the timer's thread only. */
    private long toldCompactedTo = NOT_COMPACTED;

    LeaderPartition(
            OpenedLog log, PartitionState state, BatchAdmission admission, Environment environment, LeaderHost host) {
        super(log);
        this.environment = environment;
        this.host = host;
        InSyncReplicas first = InSyncReplicas.lead(
                environment.brokerId(),
                state,
                log.epochs().startOfLatest(state.leaderEpoch(), log.endOffset()),
                log.durableEnd(),
                log.highWatermark(),
                log.rules().minInsyncReplicas(),
                host.live(),
                environment.nanos().getAsLong());
        leadership = new Leadership(
                log.partition(), first, log.watermark(), () -> log().rules().minInsyncReplicas(), host);
        appender = new Appender(leadership, log, admission, environment);
    }

    @Override
    public int leaderEpoch() {
        return leadership.leaderEpoch();
    }

    @Override
    public LeaderPartition leading() {
        return this;
    }

    public boolean isLeading() {
        return isOn();
    }

    @Override
    public boolean isOn() {
        return leadership.isOn();
    }

    @Override
    public void mustBeOn() {
        leadership.mustBeOn();
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
            return log().moveStartTo(log().logStart().ifDeletedBefore(before)).thenCompose(this::deletedEverywhere);
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private CompletionStage<Long> deletedEverywhere(long start) {
        if (inSync().smallestStart(start) >= start) {
            return CompletableFuture.completedFuture(start);
        }
        CompletionStage<Long> done = deletions.await(start, nanos());
        followersMayHaveDeleted();
        if (!isOn()) {
            deletions.fail(noLongerLeads());
        }
        return done;
    }

    private void followersMayHaveDeleted() {
        if (!deletions.isEmpty()) {
            deletions.startsAt(inSync().smallestStart(logStartOffset()));
        }
    }

    // ---- reading

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
                log().engine());
    }

    @Override
    public CompletionStage<List<KnownProducer>> producers() {
        try {
            mustBeOn();
            return log().knownProducers();
        } catch (FeliceException ended) {
            return CompletableFuture.failedFuture(ended);
        }
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        leadership.mustBeOn();
        return log().epochs().endOf(epoch, logEndOffset());
    }

    @Override
    public int epochOf(long offset) {
        return log().epochs().of(offset);
    }

    @Override
    public long latestOffset(ReadLimit limit) {
        mustBeOn();
        mustKnowTheEnd(limit);
        return endOf(limit);
    }

    /** Below the start of a new leader's epoch, records may be committed of which it does not know that yet (KIP-207). */
    private void mustKnowTheEnd(ReadLimit limit) {
        long epochStart = inSync().epochStart();
        if (limit != ReadLimit.LOG_END && endOf(limit) < epochStart) {
            throw OFFSET_NOT_AVAILABLE.because("The high watermark of " + id() + " is below offset " + epochStart
                    + ", at which its leader epoch " + leaderEpoch() + " begins");
        }
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return onPool(() -> {
            mustBeOn();
            Optional<TimestampedOffset> found = TimestampSearch.first(log().engineLog(), timestamp, endOf(limit));
            if (found.isEmpty()) {
                mustKnowTheEnd(limit);
            }
            return found;
        });
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return onPool(() -> {
            leadership.mustBeOn();
            return TimestampSearch.newest(log().engineLog(), highWatermark());
        });
    }

    // ---- the in-sync set

    /**
     * @param brokerEpoch -1 if the broker has not said its epoch
     * @throws FeliceException NOT_LEADER_OR_FOLLOWER if the broker is this one, or has no replica of the partition, or has
     *     registered again since
     */
    public void mustBeFollower(int replica, long brokerEpoch) {
        if (replica == environment.brokerId() || !leadership.state().replicas().contains(replica)) {
            throw NOT_LEADER_OR_FOLLOWER.because("Broker " + replica + " is no follower of " + id());
        }
        if (leadership.inSync().isStale(replica, brokerEpoch)) {
            throw NOT_LEADER_OR_FOLLOWER.because("Broker " + replica + " is not in epoch " + brokerEpoch + " any more");
        }
    }

    /**
     * A follower fetches from {@code offset} on, which acknowledges all records below. Its log does not diverge below, and
     * it knows the leader epoch.
     *
     * @param brokerEpoch of the follower; -1 if it is unknown, which is not enough to join
     * @param logStart of the follower's log
     */
    public void fetchedBy(int replica, long brokerEpoch, long offset, long logStart) {
        if (apply(now ->
                now.fetched(replica, brokerEpoch, offset, logStart, logEndOffset(), nanos(), host.mostLagNanos()))) {
            committed();
        }
        followersMayHaveDeleted();
        if (leadership.inSync().hasJoiner()) {
            host.due(this);
        }
    }

    private long nanos() {
        return environment.nanos().getAsLong();
    }

    private boolean apply(UnaryOperator<InSyncReplicas> event) {
        return isLeading() && leadership.apply(event);
    }

    @Override
    public long compactibleTo() {
        return Long.MAX_VALUE;
    }

    /**
     * The offset up to which a follower may compact, too: this log is compacted, and all replicas that fetch have the
     * records. -1 if the topic is not compacted.
     */
    public long compactedTo() {
        return log().rules().isCompacted()
                ? Math.min(log().compaction().cleanedTo(), inSync().appliedTo())
                : NOT_COMPACTED;
    }

    private void tellFollowersToCompact() {
        long now = compactedTo();
        if (now != toldCompactedTo) {
            toldCompactedTo = now;
            watchers().changed();
        }
    }

    @Override
    public long appliedTo() {
        return inSync().appliedTo();
    }

    public InSyncReplicas inSync() {
        return leadership.inSync();
    }

    /**
     * The change of the in-sync set that is due now, which the caller sends to the controller and answers by one of
     * {@link #made}, {@link #refused} and {@link #undecided}. Empty if none is due, or one is on its way.
     *
     * @param brokerEpoch of this node
     */
    public Optional<InSyncChange> propose(long brokerEpoch) {
        if (!isLeading() || inSync().change().isPresent()) {
            return Optional.empty();
        }
        apply(now -> now.propose(brokerEpoch, logEndOffset(), nanos(), host.mostLagNanos()));
        return inSync().change();
    }

    /** The controller has made the change. */
    public void made(InSyncChange change, PartitionState after) {
        event(now -> now.made(change, after, nanos()));
    }

    /** The controller will not make the change. */
    public void refused(InSyncChange change) {
        event(now -> now.refused(change));
    }

    /** Nobody knows whether the controller has made the change; as {@link InSyncReplicas#undecided}. */
    public void undecided(InSyncChange change, boolean isOutdated) {
        event(now -> now.undecided(change, isOutdated));
    }

    private void event(UnaryOperator<InSyncReplicas> event) {
        if (apply(event)) {
            committed();
        }
        followersMayHaveDeleted();
    }

    /** The brokers that are live have changed. */
    public void liveChanged() {
        event(now -> now.live(host.live()));
    }

    private void checkFollowers() {
        event(now ->
                now.minInSync(log().rules().minInsyncReplicas()).passed(logEndOffset(), nanos(), host.mostLagNanos()));
        if (inSync().isChangeDue(logEndOffset(), nanos(), host.mostLagNanos())) {
            host.due(this);
        }
    }

    /** True if fewer replicas are in sync than the topic's {@code min.insync.replicas}. */
    public boolean isUnderMinInSync() {
        return leadership.isUnderMinInSync();
    }

    // ---- regular work

    /**
     * About every second: fails the appends whose deadline has passed, lets followers leave that are behind for too long, and
     * flushes the log if it is time.
     */
    @Override
    public void tick() {
        if (leadership.isAwaited()) {
            leadership.expire(nanos());
        }
        deletions.expire(nanos());
        checkFollowers();
        tellFollowersToCompact();
        log().tick();
    }

    /** Removes the records that are past their retention, and expired producers. Blocks; pool threads only. */
    public void retain() {
        if (!isLeading()) {
            return;
        }
        long to = log().logStart().ifRetained(log().nowMs());
        if (to > log().startOffset()) {
            log().moveStartTo(to).whenComplete((start, failure) -> {
                if (failure == null) {
                    LOG.info(
                            "{} starts at offset {} now: older records were past their retention and are deleted",
                            id(),
                            start);
                }
            });
        }
        log().expireProducers();
    }

    /** Takes a newer state of the same leader epoch. */
    public void update(PartitionState state) {
        boolean areOthers = !state.replicas().equals(inSync().state().replicas());
        event(now -> now.decided(state, nanos()));
        liveChanged();
        if (areOthers) {
            watchers().changed();
        }
    }

    // ---- what the log reports

    @Override
    public void movedTo(OpenedLog copy) {
        leadership.movedTo(copy.watermark(), copy.durableEnd());
        super.movedTo(copy);
        appender.moveTo(copy);
    }

    @Override
    public void durableTo(long end) {
        boolean moved = apply(now -> now.durableTo(end));
        leadership.durableTo(end);
        leadership.committedTo(highWatermark());
        if (moved) {
            watchers().changed();
        } else {
            watchers().appended();
        }
    }

    private void committed() {
        leadership.committedTo(highWatermark());
        watchers().changed();
    }

    @Override
    public boolean isAwaited() {
        return leadership.isAwaited();
    }

    @Override
    public void end(FeliceException why) {
        leadership.end(why);
        appender.end(why);
        deletions.fail(why);
        watchers().changed();
    }

    /** Ends the role: another leader or leader epoch begins. */
    public void resign() {
        end(noLongerLeads());
    }

    private FeliceException noLongerLeads() {
        return NOT_LEADER_OR_FOLLOWER.because("This node no longer leads " + id());
    }
}
