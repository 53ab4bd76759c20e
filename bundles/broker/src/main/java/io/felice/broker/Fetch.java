package io.felice.broker;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.OFFSET_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_ID;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.ReadableRole;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;

/**
 * A fetch that is under way: one attempt to read, or several with waits between them. Attempts never overlap: only the
 * thread whose {@link #takeOut} succeeds begins the next one. Any thread.
 */
final class Fetch {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(Fetch.class));
    private static final long NOTHING = 0;

    private final Fetches fetches;
    private final FetchPlan plan;
    private final ReaderSource source;
    private final ReadLimit limit;
    private final CompletableFuture<List<FetchedPartition>> answer = new CompletableFuture<>();
    private final AtomicBoolean waiting = new AtomicBoolean();
    private final long deadline;
    /** Set before the fetch waits. */
    private volatile Future<?> timer;

    private volatile boolean last;
    /** What the last attempt has looked at. The list is replaced and never changed. */
    private volatile List<PartitionReader> readers = List.of();

    // Written by the thread of the attempt only.
    private boolean isFirst = true;
    private boolean isHeld;
    /** What the last attempt has found. */
    private long bytesFound;

    Fetch(Fetches fetches, FetchPlan plan, ReaderSource source) {
        this.fetches = fetches;
        this.plan = plan;
        this.source = source;
        this.limit = plan.limit();
        Duration wait = plan.maxWait().compareTo(Fetches.MOST_WAIT) < 0 ? plan.maxWait() : Fetches.MOST_WAIT;
        this.deadline = fetches.nanos() + wait.toNanos();
        this.last = plan.maxWait().isZero();
    }

    CompletableFuture<List<FetchedPartition>> answer() {
        return answer;
    }

    /** Partitions whose records are not in memory are read on the threads of their engines. */
    void attempt() {
        readers = source.next(readers, this);
        readers.forEach(this::find);
        isFirst = false;
        new Reading().run();
    }

    // ---- finding the partitions

    private void find(PartitionReader reader) {
        Want want = reader.want();
        try {
            ReadableRole partition = fetches.role(want.partition());
            if (want.topicId() != null && !want.topicId().equals(partition.topicId())) {
                throw UNKNOWN_TOPIC_ID.because("The topic " + want.partition().topic() + " is another one");
            }
            source.watch(reader, partition);
            if (partition instanceof LeaderPartition leader) {
                if (plan.isReplica()) {
                    heard(reader, leader);
                }
            } else if (plan.isReplica() || plan.rack() == null) {
                throw NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + want.partition());
            }
            reader.found(partition, partition.endOf(limit));
        } catch (FeliceException refused) {
            reader.failed(FetchedPartition.failed(want.partition(), refused.code()));
        }
    }

    private void heard(PartitionReader reader, LeaderPartition leader) {
        leader.mustBeFollower(plan.replicaId(), plan.replicaEpoch());
        reader.tellsAtFirst(leader.highWatermark());
        if (isFirst) {
            acknowledge(reader.want(), leader);
        }
    }

    /**
     * The follower has the records below its offset if it knows the leader epoch and its log does not diverge. Only the
     * first attempt says so: a later fetch may have come with a higher offset before the next attempt.
     */
    private void acknowledge(Want want, LeaderPartition partition) {
        partition.checkEpoch(want.currentLeaderEpoch());
        boolean isInRange = want.offset() >= partition.logStartOffset() && want.offset() <= partition.logEndOffset();
        if (want.currentLeaderEpoch() >= 0 && isInRange && divergence(want, partition) == null) {
            partition.fetchedBy(plan.replicaId(), plan.replicaEpoch(), want.offset(), want.logStartOffset());
        }
    }

    // ---- reading

    /** Reads the partitions in order. Goes on on the threads of an engine before it reads from that engine's files. */
    private final class Reading implements Runnable {
        private final List<PartitionReader> all = readers;
        private final List<FetchedPartition> answers = new ArrayList<>(all.size());
        private int room = plan.maxBytes();
        private long bytes;
        private long throttledBytes;
        private boolean hasHeld;
        private boolean mustAnswer = last || plan.minBytes() <= 0;
        private MountedEngine here;

        @Override
        public void run() {
            for (int i = answers.size(); i < all.size(); i++) {
                MountedEngine needed = all.get(i).engine();
                if (needed != null && needed != here) {
                    here = needed;
                    needed.execute(this);
                    return;
                }
                add(all.get(i));
            }
            if (mustAnswer || bytes >= plan.minBytes()) {
                finish(answers);
            } else {
                answers.forEach(one -> one.records().close());
                fetches.throttle().gave(-throttledBytes);
                bytesFound = bytes;
                isHeld = hasHeld;
                park();
            }
        }

        private void add(PartitionReader reader) {
            FetchedPartition one = reader.failure() == null ? read(reader) : reader.failure();
            mustAnswer |= one.error() != ErrorCode.NONE
                    || one.divergence() != null
                    || one.preferredReplica() != FetchedPartition.NO_PREFERENCE
                    || hasNews(reader)
                    || leavesMore(reader, one);
            bytes += one.records().sizeInBytes();
            answers.add(one);
        }

        private FetchedPartition read(PartitionReader reader) {
            Want want = reader.want();
            boolean isThrottled = reader.hasRecords() && isThrottled(reader.partition());
            if (isThrottled && fetches.throttle().waitNanos() > 0) {
                reader.hold();
                hasHeld = true;
                return Fetch.this.read(want, reader.partition(), NOTHING, false);
            }
            FetchedPartition one = Fetch.this.read(want, reader.partition(), room - bytes, bytes == 0);
            if (isThrottled) {
                throttledBytes += one.records().sizeInBytes();
                fetches.throttle().gave(one.records().sizeInBytes());
            }
            if (room - bytes < want.maxBytes() && didNotFit(reader, one)) {
                room = (int) bytes; // no batch fits the rest, and a batch of a later partition rarely would
            }
            return one;
        }
    }

    private boolean isThrottled(ReadableRole partition) {
        return plan.isReplica()
                && partition instanceof LeaderPartition leader
                && fetches.throttle().isFor(leader, plan.replicaId());
    }

    private static boolean didNotFit(PartitionReader reader, FetchedPartition one) {
        return reader.hasRecords()
                && one.records().sizeInBytes() == 0
                && one.error() == ErrorCode.NONE
                && one.divergence() == null;
    }

    /** True if the partition has more records than the fetch took: then the fetch does not wait. */
    private static boolean leavesMore(PartitionReader reader, FetchedPartition one) {
        return one.records().sizeInBytes() > 0
                && reader.hasMoreThan(one.records().nextOffset());
    }

    /**
     * If followers serve consumers, a follower gets an answer without records when the high watermark has moved.
     */
    private boolean hasNews(PartitionReader reader) {
        return plan.isReplica()
                && reader.isWatermarkNews()
                && fetches.preferred().areUsed();
    }

    private FetchedPartition read(Want want, ReadableRole partition, long room, boolean first) {
        try {
            partition.checkEpoch(want.currentLeaderEpoch());
            EpochEnd divergence = divergence(want, partition);
            int replica = preferredFor(want, partition);
            int most = (int) Math.max(0, Math.min(room, want.maxBytes()));
            boolean isElsewhere =
                    divergence != null || replica != FetchedPartition.NO_PREFERENCE || isNotThereYet(want, partition);
            Records records = isElsewhere ? Records.EMPTY : partition.readHere(want.offset(), most, limit, first);
            return new FetchedPartition(
                    want.partition(),
                    ErrorCode.NONE,
                    partition.highWatermark(),
                    partition.lastStableOffset(),
                    partition.logStartOffset(),
                    divergence,
                    replica,
                    records,
                    compactedTo(partition));
        } catch (FeliceException refused) {
            return FetchedPartition.failed(want.partition(), refused.code());
        } catch (RuntimeException | Error accident) {
            errors.error(want.partition() + " cannot be read from offset " + want.offset(), accident);
            return FetchedPartition.failed(want.partition(), ErrorCode.UNKNOWN_SERVER_ERROR);
        }
    }

    private long compactedTo(ReadableRole partition) {
        return plan.isReplica() && partition instanceof LeaderPartition leader
                ? leader.compactedTo()
                : FetchedPartition.NOT_TOLD;
    }

    private int preferredFor(Want want, ReadableRole partition) {
        boolean isAsked = !plan.isReplica() && plan.rack() != null && partition instanceof LeaderPartition;
        return isAsked
                ? fetches.preferred().preferred((LeaderPartition) partition, plan.rack(), want.offset())
                : FetchedPartition.NO_PREFERENCE;
    }

    /**
     * True if a consumer has read further from another replica, so that it waits until this follower is there too. Fails
     * with OFFSET_NOT_AVAILABLE at the end of the wait.
     */
    private boolean isNotThereYet(Want want, ReadableRole partition) {
        boolean isAbove = partition instanceof FollowerPartition && want.offset() > partition.endOf(limit);
        if (isAbove && last) {
            throw OFFSET_NOT_AVAILABLE.because(want.offset() + " is above the high watermark that this follower of "
                    + want.partition() + " knows");
        }
        return isAbove;
    }

    /**
     * Where the reader's log and this log diverge; null if they do not diverge, or if the reader sent no last fetched
     * epoch.
     */
    private static EpochEnd divergence(Want want, ReadableRole partition) {
        if (want.lastFetchedEpoch() < 0) {
            return null;
        }
        Optional<EpochEnd> divergence = partition.divergence(want.lastFetchedEpoch(), want.offset());
        boolean known = divergence.isEmpty() || divergence.get().endOffset() >= 0;
        if (!known || want.offset() < partition.logStartOffset()) {
            throw OFFSET_OUT_OF_RANGE.because("Epoch " + want.lastFetchedEpoch() + " before offset " + want.offset()
                    + " is not known to " + want.partition());
        }
        return divergence.orElse(null);
    }

    // ---- waiting

    private void park() {
        fetches.parked(this);
        source.waits(this, readers);
        boolean ends = timer != null && !isHeld || startTimer();
        waiting.set(true);
        if (fetches.isClosed() || !ends) {
            abandon();
        } else if (last || mayBeReady()) {
            attemptAgain();
        }
    }

    /** False if the broker is closing. */
    private boolean startTimer() {
        long left = Math.max(0, deadline - fetches.nanos());
        if (isHeld) {
            left = Math.min(left, fetches.throttle().waitNanos());
        }
        Future<?> before = timer;
        try {
            timer = fetches.environment().timer().schedule(this::timeIsUp, left, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException closing) {
            return false;
        }
        if (before != null) {
            before.cancel(false);
        }
        return true;
    }

    /** Ends the wait. Only the caller that gets true may attempt or finish the fetch next. */
    private boolean takeOut() {
        if (!waiting.compareAndSet(true, false)) {
            return false;
        }
        fetches.notParked(this);
        source.waitsNoLonger(readers);
        return true;
    }

    /** A partition of the fetch may have something new. Any thread. */
    void changed(PartitionReader reader) {
        if (!waiting.get()) {
            return;
        }
        long more = more(reader);
        boolean isReady = more > 0 && (more >= plan.minBytes() - bytesFound || mayBeReady());
        if (isReady) {
            attemptAgain();
        }
    }

    private boolean mayBeReady() {
        long more = 0;
        for (PartitionReader reader : readers) {
            more = sum(more, more(reader));
        }
        for (PartitionReader reader : source.changed()) {
            more = sum(more, more(reader));
        }
        return more > 0 && more >= plan.minBytes() - bytesFound;
    }

    private static long sum(long one, long other) {
        return one == Long.MAX_VALUE || other == Long.MAX_VALUE ? Long.MAX_VALUE : one + other;
    }

    private long more(PartitionReader reader) {
        ReadableRole partition = reader.partition(); // null if another thread reads it at this moment, and cannot
        return partition == null || reader.mustBeTold() || hasNews(reader)
                ? Long.MAX_VALUE
                : reader.more(partition.endOf(limit));
    }

    /** If an attempt is running, it sees {@code last} and does not wait again. */
    private void timeIsUp() {
        last = true;
        try {
            attemptAgain();
        } catch (RuntimeException | Error accident) {
            errors.error("A fetch failed at the end of its wait and is answered with NOT_LEADER_OR_FOLLOWER", accident);
            finish(refusals());
        }
    }

    private void attemptAgain() {
        if (takeOut()) {
            attempt();
        }
    }

    /** Answers with NOT_LEADER_OR_FOLLOWER if the fetch waits. */
    void abandon() {
        if (takeOut()) {
            finish(refusals());
        }
    }

    /** Answers without results if the fetch waits. */
    void end() {
        if (takeOut()) {
            finish(List.of());
        }
    }

    private List<FetchedPartition> refusals() {
        return readers.stream()
                .map(reader -> FetchedPartition.failed(reader.want().partition(), NOT_LEADER_OR_FOLLOWER))
                .toList();
    }

    private void finish(List<FetchedPartition> answers) {
        Future<?> pending = timer;
        if (pending != null) {
            pending.cancel(false);
        }
        source.answered(this, readers, answers);
        if (!answer.complete(answers)) {
            answers.forEach(one -> one.records().close());
        }
    }
}
