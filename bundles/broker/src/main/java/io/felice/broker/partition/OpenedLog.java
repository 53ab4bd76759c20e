package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.KnownProducer;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.engine.WatchedLog;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The open log of one partition, with everything that does not depend on the replica's role. It stays open when the
 * {@link Role} changes.
 *
 * <p>One writer at a time changes the log ({@link SingleWriter}); any thread may read it.
 *
 * <p>The first failed write ends the log. It must be opened again before anything is written to it, because opening
 * recovers the batches that are really there.
 */
public final class OpenedLog {
    /** Is told that a log failed. Called once, on any thread. */
    public interface Failures {
        void failed(OpenedLog log, Throwable cause);
    }

    /** Why the log ended; {@code outOfSpace} if only free space was missing. */
    private record End(FeliceException why, boolean outOfSpace) {}

    /** {@code snapshotOffset} is -1 if batches were read that no snapshot covers. */
    record Found(
            LogId id,
            PartitionLog log,
            PartitionFiles files,
            ReplayedState replayed,
            HighWatermark highWatermark,
            long snapshotOffset) {}

    private final LogId id;
    private final TopicPartition partition;
    private final Environment environment;
    private final MountedEngine engine;
    private final PartitionLog log;
    private final PartitionFiles files;
    private final ReplayedState replayed;
    private final HighWatermark highWatermark;
    private final Runnable onFirstWrite;
    private final Failures failures;

    private final Committer committer;
    private final SingleWriter writer;
    private final ProducerSnapshots snapshots;
    private final SegmentRolls rolls;
    private final LogStart logStart;
    private final CleanedOffset cleaned;
    private final Compaction compaction;
    private final Scrub scrub;

    private final AtomicReference<End> end = new AtomicReference<>();
    private volatile Role role;
    private volatile TopicRules rules;
    private volatile long appendedBytes;
    private volatile LongSupplier followedTo = () -> Long.MAX_VALUE;
    /** The log that has taken this one's place; null if none has. */
    private volatile OpenedLog successor;

    // Used by the log's writer only.
    private int writtenEpoch = -1;

    /** @param onFirstWrite runs on a pool thread before the first append */
    OpenedLog(
            Found found,
            Environment environment,
            MountedEngine engine,
            CompactionLimits limits,
            TopicConfig config,
            Runnable onFirstWrite,
            Failures failures) {
        this.id = found.id();
        this.partition = new TopicPartition(id.topic(), id.partition());
        this.environment = environment;
        this.engine = engine;
        this.log = found.log();
        this.files = found.files();
        this.replayed = found.replayed();
        this.highWatermark = found.highWatermark();
        this.onFirstWrite = onFirstWrite;
        this.failures = failures;
        this.rules = TopicRules.of(config);
        role = new OfflinePartition(LEADER_NOT_AVAILABLE.because(partition + " has no role yet"));
        committer = new Committer(partition, log, engine, environment, this::rules, new CommitterReports());
        writer = new SingleWriter(partition, place());
        snapshots = new ProducerSnapshots(partition, files, environment, this::isOpen, found.snapshotOffset());
        rolls = new SegmentRolls(log, environment);
        logStart = new LogStart(this, log, engine.space(), highWatermark, replayed, snapshots);
        cleaned = new CleanedOffset(partition, files, log.endOffset());
        compaction = new Compaction(this, log, engine, environment, limits, writer, replayed, cleaned);
        scrub = new Scrub(this, log, files, environment);
    }

    private SingleWriter.Place place() {
        return new SingleWriter.Place(engine, committer::settle, this::fail);
    }

    public LogId id() {
        return id;
    }

    public TopicPartition partition() {
        return partition;
    }

    public MountedEngine engine() {
        return engine;
    }

    PartitionFiles files() {
        return files;
    }

    TopicRules rules() {
        return rules;
    }

    public long startOffset() {
        return log.startOffset();
    }

    /** Moves when all batches of an append are in the log. */
    public long endOffset() {
        return committer.logEnd();
    }

    HighWatermark watermark() {
        return highWatermark;
    }

    public long highWatermark() {
        return highWatermark.offset();
    }

    Epochs epochs() {
        return replayed.epochs();
    }

    Producers producers() {
        return replayed.producers();
    }

    public int producerCount() {
        return replayed.producerCount();
    }

    public Compaction compaction() {
        return compaction;
    }

    public Scrub scrub() {
        return scrub;
    }

    /** Bytes appended since the log was opened. */
    long appendedBytes() {
        return appendedBytes;
    }

    public long sizeInBytes() {
        return log.segments().stream().mapToLong(Segment::sizeInBytes).sum();
    }

    /** About how many bytes of the log lie at or above an offset. */
    public long bytesFrom(long offset) {
        long bytes = 0;
        for (Segment segment : log.segments()) {
            long records = segment.nextOffset() - segment.baseOffset();
            long above = Math.min(records, segment.nextOffset() - offset);
            bytes += above <= 0 ? 0 : (long) ((double) segment.sizeInBytes() * above / records);
        }
        return bytes;
    }

    /** The monotonic clock. */
    long nanos() {
        return environment.nanos().getAsLong();
    }

    /** The wall clock, in milliseconds since the epoch. */
    long nowMs() {
        return environment.clock().millis();
    }

    // ---- roles

    /**
     * This replica leads from now on. The earlier role must have ended. For the log's writer, or for the thread that
     * opened the log before other threads know the log.
     */
    public LeaderPartition lead(PartitionState state, BatchAdmission admission, LeaderHost host) {
        mustBeOpen();
        replayed.epochs().begin(state.leaderEpoch(), endOffset());
        LeaderPartition leader = new LeaderPartition(this, state, admission, environment, host);
        assume(leader);
        return leader;
    }

    /** This replica follows another leader, or waits for one, from now on. Same threads as {@link #lead}. */
    public FollowerPartition follow(PartitionState state) {
        mustBeOpen();
        highWatermark.follow();
        FollowerPartition follower = new FollowerPartition(this, state);
        assume(follower);
        return follower;
    }

    private void assume(Role newRole) {
        role = newRole;
        End ended = end.get();
        if (ended != null) {
            newRole.end(ended.why());
        }
    }

    /** Changes the role as the log's writer, after all tasks of the earlier role. */
    public <T extends Role> CompletionStage<T> become(Supplier<T> newRole) {
        return writer.executeAlone(newRole);
    }

    /** The producers of the log, asked for as the log's writer. */
    CompletionStage<List<KnownProducer>> knownProducers() {
        return writer().executeAlone(() -> producers().known());
    }

    // ---- writing

    /** Runs a task that appends as the writer; the log is settled at the end of the turn. */
    void write(Runnable append, Turn turn) {
        if (engine.appendsOnCaller()) {
            writer.executeHere(append);
            current().committer.arrange(turn);
        } else {
            writer.executeLater(append);
        }
    }

    SingleWriter writer() {
        return writer.current();
    }

    /** As the writer: true if {@link #append} may be called for this epoch without {@link #prepare} before it. */
    boolean isPrepared(int epoch) {
        return isWritten(epoch) && !rolls.isDue();
    }

    /**
     * As the writer, on a pool thread: writes the start offset of the epoch to disk, which must happen before the first
     * batch of the epoch is appended (KAFKA-7415), and rolls the active segment if it is old enough. Blocks.
     *
     * @param startOffset of the first batch of the epoch
     */
    void prepare(int epoch, long startOffset) {
        try {
            if (!isWritten(epoch)) {
                writeEpoch(epoch, startOffset);
            }
            if (rolls.rollIfOld(rules)) {
                snapshots.take(endOffset(), replayed.snapshot());
            }
        } catch (RuntimeException failure) {
            throw writeFailed(failure, 0);
        }
    }

    /** False also if this node has led in a later epoch since, without an append. */
    private boolean isWritten(int epoch) {
        return epoch == writtenEpoch && epoch == replayed.epochs().latest();
    }

    private void writeEpoch(int epoch, long startOffset) {
        replayed.epochs().append(epoch, startOffset, endOffset());
        try {
            files.writeEpochs(replayed.epochs().entries());
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "The leader epochs of " + partition + " cannot be written in data.dir: " + failure.getMessage(),
                    failure);
        }
        onFirstWrite.run();
        writtenEpoch = epoch;
    }

    /** As the writer: appends one batch with its final offsets and leader epoch; {@code nowMs} in milliseconds. */
    void append(RecordBatch batch, long nowMs) {
        int size = batch.sizeInBytes();
        rolls.appending(size, rules);
        try {
            engine.device().timedAppend(() -> log.append(batch));
        } catch (RuntimeException failure) {
            throw writeFailed(failure, size);
        }
        replayed.applied(batch, nowMs);
    }

    /** As the writer: all batches of an append are in the log, which ends at {@code end} now. */
    void appended(long bytes, long end) {
        appendedBytes += bytes;
        committer.appendedTo(end);
        if (snapshots.areDue(bytes, rules.sizes().segmentBytes())) {
            snapshots.takeInBackground(end, replayed.snapshot());
        }
    }

    /**
     * As the writer, on a pool thread. Removes producer snapshots above {@code to} first, so that a crash leaves no
     * snapshot of truncated records. Blocks.
     */
    void truncateTo(long to) {
        mustBeOpen();
        if (to >= endOffset()) {
            return;
        }
        try {
            snapshots.forgetAbove(to);
            cleaned.truncated(to);
            log.truncateTo(to);
            long newEnd = log.endOffset();
            cleaned.truncated(newEnd);
            scrub.truncatedTo(newEnd);
            committer.truncatedTo(newEnd);
            highWatermark.truncatedTo(newEnd);
            replayed.truncated(newEnd, LogOpening.producersOf(log, files, replayed.limits(), nowMs()));
            rolls.forget();
            writtenEpoch = -1;
            files.writeEpochs(replayed.epochs().entries());
        } catch (IOException | RuntimeException failure) {
            throw writeFailed(failure, 0);
        }
    }

    /**
     * As the writer of a follower, on a pool thread: removes all records and begins at {@code offset}, because the leader
     * has no record below it any more. Blocks.
     */
    void restartAt(long offset) {
        mustBeOpen();
        try {
            snapshots.forgetAbove(-1);
            cleaned.truncated(0);
            if (offset > log.endOffset()) {
                log.trimTo(offset);
            } else {
                log.truncateTo(log.startOffset());
                log.truncateTo(offset);
            }
            committer.truncatedTo(offset);
            highWatermark.restartedAt(offset);
            replayed.truncated(0, new Producers());
            scrub.trimmedTo(offset);
            scrub.truncatedTo(offset);
            rolls.forget();
            writtenEpoch = -1;
            files.writeEpochs(replayed.epochs().entries());
        } catch (IOException | RuntimeException failure) {
            throw writeFailed(failure, 0);
        }
    }

    // ---- being followed

    /**
     * From now on compaction keeps the tombstones that a follower has not read: the follower may have read older records
     * of their keys.
     *
     * @param to gives the offset up to which the follower has read; called on any thread
     */
    public void followedTo(LongSupplier to) {
        followedTo = to;
    }

    /** Compaction ends below this offset. */
    long compactibleTo() {
        return Math.min(highWatermark(), role.compactibleTo());
    }

    long followedTo() {
        return Math.min(followedTo.getAsLong(), role.appliedTo());
    }

    // ---- a copy takes the place of its source

    /** True once a copy has taken this log's place: nothing is written to it any more. */
    boolean isReplaced() {
        return successor != null;
    }

    private OpenedLog current() {
        OpenedLog now = this;
        while (now.successor != null) {
            now = now.successor;
        }
        return now;
    }

    /**
     * As the writer of this copy, while the writer of the source waits: makes all that was copied as durable as the source,
     * and takes over the state that is replayed from the source's batches, also from those that were removed. Blocks.
     */
    void prepareToReplace(OpenedLog source) {
        try {
            long end = endOffset();
            replayed.takeOver(source.replayed);
            files.writeEpochs(replayed.epochs().entries());
            snapshots.forgetAbove(-1);
            snapshots.take(end, replayed.snapshot());
            if (!snapshots.cover(end)) {
                throw KAFKA_STORAGE_ERROR.because("The producers of " + partition + " cannot be written in data.dir");
            }
            committer.finish();
            LogOpening.makeDurable(log, rules.durability());
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "The leader epochs of " + partition + " cannot be written in data.dir: " + failure.getMessage(),
                    failure);
        }
    }

    /**
     * As {@link #prepareToReplace}: from now on this log has the source's role and is written by the source's writer. Does
     * not block.
     */
    void replace(OpenedLog source) {
        SingleWriter line = source.writer();
        writtenEpoch = source.writtenEpoch;
        appendedBytes = source.appendedBytes;
        highWatermark.toldByLeader(source.highWatermark(), endOffset());
        writer.passOnTo(line);
        line.moveTo(place());
        Role taken = source.role;
        role = taken;
        source.role = new OfflinePartition(NOT_LEADER_OR_FOLLOWER.because(partition + " was moved"));
        taken.movedTo(this);
        source.successor = this;
        taken.durableTo(committer.durableEnd());
    }

    long durableEnd() {
        return committer.durableEnd();
    }

    /** All records of the log survive a power cut when the stage completes, if the engine can do that. */
    public CompletionStage<Void> flush() {
        return log.flush(committer.durableEnd());
    }

    /** Closes a log whose place was taken, without its writer. Blocks. */
    public void closeReplaced() {
        end.compareAndSet(null, new End(NOT_LEADER_OR_FOLLOWER.because(partition + " was moved"), false));
        snapshots.close();
        log.close();
    }

    // ---- reading

    boolean isHot(long from) {
        return from >= endOffset() || log.isHot(from);
    }

    /**
     * Whole batches from {@code from} on, all below {@code limit} and before the next damage. Blocks if {@code from} is
     * not hot.
     *
     * @throws FeliceException CORRUPT_MESSAGE if {@code from} is damaged, as far as {@link Scrub} has found that
     */
    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        return log.read(from, scrub.damages().limitOf(from, limit), maxBytes, atLeastOne);
    }

    /** Read only. */
    PartitionLog engineLog() {
        return log;
    }

    // ---- regular work

    /** About every second: ends the log if its engine does not come back, and flushes it if {@code flush.ms} is over. */
    void tick() {
        if (isOpen() && log instanceof WatchedLog watched) {
            watched.late().map(KAFKA_STORAGE_ERROR::because).ifPresent(this::fail);
        }
        committer.flushByTime();
    }

    public void expireProducers() {
        writer.execute(() -> replayed.expire(nowMs()));
    }

    LogStart logStart() {
        return logStart;
    }

    /** Moves the log start offset as the writer; the new start is durable when the stage completes. */
    CompletionStage<Long> moveStartTo(long to) {
        return writer.executeAlone(() -> logStart.moveTo(to));
    }

    void startMoved() {
        scrub.trimmedTo(log.startOffset());
        role.startMoved();
    }

    public void update(TopicConfig config) {
        TopicRules old = rules;
        if (old.config().equals(config)) {
            return;
        }
        rules = TopicRules.of(config);
        writer.execute(() -> {
            if (!old.sizes().equals(rules.sizes())) {
                log.configure(rules.sizes());
            }
            log.deleteFilesAfter(rules.deleteDelay());
            rolls.forget();
        });
    }

    // ---- the end

    boolean isOpen() {
        return end.get() == null;
    }

    /** Null while the log is open. */
    public FeliceException whyEnded() {
        End ended = end.get();
        return ended == null ? null : ended.why();
    }

    /** @throws FeliceException why the log ended */
    void mustBeOpen() {
        End ended = end.get();
        if (ended != null) {
            throw ended.why();
        }
    }

    /** @throws FeliceException if the log ended, or its engine is full */
    void mustTakeRecords() {
        mustBeOpen();
        engine.space().mustBeThere();
    }

    /** True if the log ended for want of free space only, so that it can be opened again at once. */
    public boolean ranOutOfSpace() {
        End ended = end.get();
        return ended != null && ended.outOfSpace();
    }

    /**
     * Ends the log after a failed write, possibly for want of free space: all waiting and later appends fail.
     *
     * @param bytes the size of the failed write; 0 if it is not known
     */
    FeliceException writeFailed(Throwable cause, long bytes) {
        return fail(cause, isOpen() && engine.space().ranOut(bytes));
    }

    /** Ends the log after a failure that is not for want of free space, of an fsync for example. */
    FeliceException fail(Throwable cause) {
        return fail(cause, false);
    }

    /** Ends the log, which its engine does not give back: nothing of it is acknowledged any more. Any thread. */
    public void abandon(FeliceException why) {
        fail(why);
    }

    private FeliceException fail(Throwable cause, boolean outOfSpace) {
        FeliceException why = KAFKA_STORAGE_ERROR.because("The log of " + partition + " failed: " + cause, cause);
        if (end.compareAndSet(null, new End(why, outOfSpace))) {
            role.ended(why);
            failures.failed(this, cause);
        }
        return why;
    }

    /**
     * Settles the log, answers the waiting appends, writes a producer snapshot so that the next opening reads no
     * batches, and closes the log. The role ends; later calls fail with NOT_LEADER_OR_FOLLOWER.
     */
    public CompletionStage<Void> close() {
        return writer.executeAlone(() -> {
            try {
                committer.finish();
                if (isOpen() && committer.isSettled() && !snapshots.cover(endOffset())) {
                    snapshots.take(endOffset(), replayed.snapshot());
                }
            } finally {
                FeliceException why = NOT_LEADER_OR_FOLLOWER.because("This node closed the log of " + partition);
                end.compareAndSet(null, new End(why, false));
                role.ended(why);
                snapshots.close();
                log.close();
            }
            return null;
        });
    }

    private final class CommitterReports implements Committer.Reports {
        @Override
        public void durableTo(long offset) {
            role.durableTo(offset);
        }

        @Override
        public boolean isAwaited() {
            return role.isAwaited();
        }

        @Override
        public void writeFailed(Throwable cause) {
            OpenedLog.this.writeFailed(cause, 0);
        }

        @Override
        public void failed(Throwable cause) {
            fail(cause);
        }

        @Override
        public boolean isOpen() {
            return OpenedLog.this.isOpen();
        }
    }
}
