package io.felice.broker;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.OFFSET_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Environment;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.ReadableRole;
import io.felice.broker.partition.Watcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.slf4j.LoggerFactory;

/**
 * Answers fetches. A fetch is answered at once if it finds {@code minBytes}, if a partition has more records than the
 * fetch takes from it, or if a partition has an error or has diverged. Otherwise the fetch waits for {@code minBytes},
 * but no longer than {@code maxWait}, and needs a timer and a watcher on each of its partitions. Any thread.
 */
final class Fetches implements AutoCloseable {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(Fetches.class));

    /** A longer {@code maxWait} is cut to this time. */
    static final Duration MOST_WAIT = Duration.ofMinutes(5);

    private static final long NOTHING = 0;

    private final Function<TopicPartition, ? extends ReadableRole> roles;
    private final PreferredReplicas preferred;
    private final LeaderThrottle throttle;
    private final Environment environment;
    private final Set<Fetch> parked = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /** @param roles finds a partition, or throws the exception with the error code of the answer */
    Fetches(
            Function<TopicPartition, ? extends ReadableRole> roles,
            PreferredReplicas preferred,
            LeaderThrottle throttle,
            Environment environment) {
        this.roles = roles;
        this.preferred = preferred;
        this.throttle = throttle;
        this.environment = environment;
    }

    CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        Fetch fetch = new Fetch(plan);
        fetch.attempt();
        return fetch.answer;
    }

    int parkedCount() {
        return parked.size();
    }

    /** Answers all waiting fetches with NOT_LEADER_OR_FOLLOWER. */
    @Override
    public void close() {
        closed = true;
        parked.forEach(Fetch::abandon);
    }

    /** The results of one attempt. All arrays have the order of the fetch's partitions. */
    private static final class Found {
        private static final long NOT_KNOWN = -1;

        /** Null for each partition that failed. */
        private final ReadableRole[] partitions;
        /** The offset at which each partition's records ended for this reader. */
        private final long[] ends;
        /** The high watermark of each partition when a replica's fetch came. */
        private final long[] watermarks;
        /** The start of each log when a replica's fetch came. */
        private final long[] starts;
        /** The bytes appended to each partition; {@link #NOT_KNOWN} if the reader could not read all of them yet. */
        private final long[] bytesBefore;

        private final FetchedPartition[] failures;
        /** True for each partition whose records are not in memory; null if there is none. */
        private boolean[] cold;
        /** True for each partition of which a throttled follower gets nothing now; null if there is none. */
        private boolean[] held;

        private int bytes;

        Found(int count) {
            partitions = new ReadableRole[count];
            ends = new long[count];
            watermarks = new long[count];
            starts = new long[count];
            bytesBefore = new long[count];
            failures = new FetchedPartition[count];
        }

        void isCold(int i) {
            if (cold == null) {
                cold = new boolean[partitions.length];
            }
            cold[i] = true;
        }

        void isHeld(int i) {
            if (held == null) {
                held = new boolean[partitions.length];
            }
            held[i] = true;
        }

        boolean wasHeld(int i) {
            return held != null && held[i];
        }

        /** The engine on whose threads the partition must be read; null if any thread may read it. */
        MountedEngine engineOf(int i) {
            return cold != null && cold[i] ? partitions[i].log().engine() : null;
        }
    }

    /** Attempts never overlap: only the thread whose {@link #takeOut} succeeds begins the next one. */
    private final class Fetch implements Watcher {
        private final FetchPlan plan;
        private final ReadLimit limit;
        private final CompletableFuture<List<FetchedPartition>> answer = new CompletableFuture<>();
        private final AtomicBoolean waiting = new AtomicBoolean();
        private final long deadline;
        private volatile Found found;
        /** Set before the fetch waits. */
        private volatile Future<?> timer;

        private volatile boolean last;
        /** Used by the thread of the attempt only. */
        private boolean isFirst = true;

        Fetch(FetchPlan plan) {
            this.plan = plan;
            this.limit = plan.limit();
            Duration wait = plan.maxWait().compareTo(MOST_WAIT) < 0 ? plan.maxWait() : MOST_WAIT;
            this.deadline = environment.nanos().getAsLong() + wait.toNanos();
            this.last = plan.maxWait().isZero() || plan.wants().isEmpty();
        }

        /** Partitions whose records are not in memory are read on the threads of their engines. */
        void attempt() {
            Found now = new Found(plan.wants().size());
            find(now);
            isFirst = false;
            new Reading(now).run();
        }

        /**
         * A follower gets an answer without records when the log start has moved, and, if followers serve consumers, when
         * the high watermark has.
         */
        private void heard(Want want, LeaderPartition leader, Found now, int i) {
            leader.mustBeFollower(plan.replicaId(), plan.replicaEpoch());
            if (isFirst) {
                now.watermarks[i] = leader.highWatermark();
                now.starts[i] = leader.logStartOffset();
                acknowledge(want, leader);
            } else {
                now.watermarks[i] = found.watermarks[i];
                now.starts[i] = found.starts[i];
            }
        }

        private boolean hasNews(Found then, int i) {
            return plan.isReplica() && then.partitions[i].highWatermark() > then.watermarks[i] && preferred.areUsed();
        }

        /**
         * The follower has the records below its offset if it knows the leader epoch and its log does not diverge. Only the
         * first attempt says so: a later fetch may have come with a higher offset before the next attempt.
         */
        private void acknowledge(Want want, LeaderPartition partition) {
            partition.checkEpoch(want.currentLeaderEpoch());
            boolean isInRange =
                    want.offset() >= partition.logStartOffset() && want.offset() <= partition.logEndOffset();
            if (want.currentLeaderEpoch() >= 0 && isInRange && divergence(want, partition) == null) {
                partition.fetchedBy(plan.replicaId(), plan.replicaEpoch(), want.offset(), want.logStartOffset());
            }
        }

        private void find(Found now) {
            for (int i = 0; i < now.partitions.length; i++) {
                Want want = plan.wants().get(i);
                try {
                    ReadableRole partition = roles.apply(want.partition());
                    if (partition instanceof LeaderPartition leader) {
                        if (plan.isReplica()) {
                            heard(want, leader, now, i);
                        }
                    } else if (plan.isReplica() || plan.rack() == null) {
                        throw NOT_LEADER_OR_FOLLOWER.because("This node does not lead " + want.partition());
                    }
                    now.ends[i] = partition.endOf(limit);
                    boolean settled = partition.logEndOffset() <= now.ends[i];
                    now.bytesBefore[i] = settled ? partition.appendedBytes() : Found.NOT_KNOWN;
                    now.partitions[i] = partition;
                    if (want.offset() < now.ends[i] && !partition.isHot(want.offset())) {
                        now.isCold(i);
                    }
                } catch (FeliceException refused) {
                    now.failures[i] = FetchedPartition.failed(want.partition(), refused.code());
                }
            }
        }

        /** Reads the partitions in order. Goes on on the threads of an engine before it reads from that engine's files. */
        private final class Reading implements Runnable {
            private final Found now;
            private final List<FetchedPartition> answers;
            private int room = plan.maxBytes();
            private long bytes;
            private long throttledBytes;
            private boolean mustAnswer = last || plan.minBytes() <= 0;
            private MountedEngine here;

            Reading(Found now) {
                this.now = now;
                this.answers = new ArrayList<>(now.partitions.length);
            }

            @Override
            public void run() {
                for (int i = answers.size(); i < now.partitions.length; i++) {
                    MountedEngine needed = now.engineOf(i);
                    if (needed != null && needed != here) {
                        here = needed;
                        needed.execute(this);
                        return;
                    }
                    add(i);
                }
                if (mustAnswer || bytes >= plan.minBytes()) {
                    finish(answers);
                } else {
                    answers.forEach(one -> one.records().close());
                    throttle.gave(-throttledBytes);
                    now.bytes = (int) bytes;
                    park(now);
                }
            }

            private void add(int i) {
                FetchedPartition one = now.failures[i];
                if (one == null) {
                    one = read(i);
                }
                mustAnswer |= one.error() != ErrorCode.NONE
                        || one.divergence() != null
                        || one.preferredReplica() != FetchedPartition.NO_PREFERENCE;
                mustAnswer |= now.partitions[i] != null && hasNews(now, i);
                mustAnswer |= leavesMore(one, now.ends[i]);
                bytes += one.records().sizeInBytes();
                answers.add(one);
            }

            private FetchedPartition read(int i) {
                Want want = plan.wants().get(i);
                boolean isThrottled = want.offset() < now.ends[i] && isThrottled(now.partitions[i]);
                if (isThrottled && throttle.waitNanos() > 0) {
                    now.isHeld(i);
                    return Fetch.this.read(want, now.partitions[i], NOTHING, false);
                }
                FetchedPartition one = Fetch.this.read(want, now.partitions[i], room - bytes, bytes == 0);
                if (isThrottled) {
                    throttledBytes += one.records().sizeInBytes();
                    throttle.gave(one.records().sizeInBytes());
                }
                if (room - bytes < want.maxBytes() && didNotFit(one, now.ends[i] - want.offset())) {
                    room = (int) bytes; // no batch fits the rest, and a batch of a later partition rarely would
                }
                return one;
            }
        }

        private boolean isThrottled(ReadableRole partition) {
            return plan.isReplica()
                    && partition instanceof LeaderPartition leader
                    && throttle.isFor(leader, plan.replicaId());
        }

        private static boolean didNotFit(FetchedPartition one, long available) {
            return available > 0
                    && one.records().sizeInBytes() == 0
                    && one.error() == ErrorCode.NONE
                    && one.divergence() == null;
        }

        /** True if the partition has more records than the fetch took: then the fetch does not wait. */
        private boolean leavesMore(FetchedPartition one, long end) {
            return one.records().sizeInBytes() > 0 && one.records().nextOffset() < end;
        }

        private FetchedPartition read(Want want, ReadableRole partition, long room, boolean first) {
            try {
                partition.checkEpoch(want.currentLeaderEpoch());
                EpochEnd divergence = divergence(want, partition);
                int replica = preferredFor(want, partition);
                int most = (int) Math.max(0, Math.min(room, want.maxBytes()));
                boolean isElsewhere = divergence != null
                        || replica != FetchedPartition.NO_PREFERENCE
                        || isNotThereYet(want, partition);
                Records records = isElsewhere ? Records.EMPTY : partition.readHere(want.offset(), most, limit, first);
                return new FetchedPartition(
                        want.partition(),
                        ErrorCode.NONE,
                        partition.highWatermark(),
                        partition.lastStableOffset(),
                        partition.logStartOffset(),
                        divergence,
                        replica,
                        records);
            } catch (FeliceException refused) {
                return FetchedPartition.failed(want.partition(), refused.code());
            } catch (RuntimeException | Error accident) {
                errors.error(want.partition() + " cannot be read from offset " + want.offset(), accident);
                return FetchedPartition.failed(want.partition(), ErrorCode.UNKNOWN_SERVER_ERROR);
            }
        }

        private int preferredFor(Want want, ReadableRole partition) {
            boolean isAsked = !plan.isReplica() && plan.rack() != null && partition instanceof LeaderPartition;
            return isAsked
                    ? preferred.preferred((LeaderPartition) partition, plan.rack(), want.offset())
                    : FetchedPartition.NO_PREFERENCE;
        }

        /**
         * True if a consumer has read further from another replica, so that it waits until this follower is there too.
         * Fails with OFFSET_NOT_AVAILABLE at the end of the wait.
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
         * Where the reader's log and this log diverge; null if they do not diverge, or if the reader sent no last
         * fetched epoch.
         */
        private EpochEnd divergence(Want want, ReadableRole partition) {
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

        private void park(Found now) {
            found = now;
            parked.add(this);
            for (ReadableRole partition : now.partitions) {
                partition.watch(this, plan.isReplica());
            }
            boolean ends = timer != null && now.held == null || startTimer();
            waiting.set(true);
            if (closed || !ends) {
                abandon();
            } else if (last) {
                attemptAgain();
            } else {
                changed();
            }
        }

        /** False if the broker is closing. */
        private boolean startTimer() {
            long left = Math.max(0, deadline - environment.nanos().getAsLong());
            if (found.held != null) {
                left = Math.min(left, throttle.waitNanos());
            }
            Future<?> before = timer;
            try {
                timer = environment.timer().schedule(this::timeIsUp, left, TimeUnit.NANOSECONDS);
                if (before != null) {
                    before.cancel(false);
                }
                return true;
            } catch (RejectedExecutionException closing) {
                return false;
            }
        }

        /** Ends the wait. Only the caller that gets true may attempt or finish the fetch next. */
        private boolean takeOut() {
            if (!waiting.compareAndSet(true, false)) {
                return false;
            }
            parked.remove(this);
            for (ReadableRole partition : found.partitions) {
                partition.unwatch(this, plan.isReplica());
            }
            return true;
        }

        @Override
        public void changed() {
            if (waiting.get() && mayBeReady(found) && takeOut()) {
                attempt();
            }
        }

        private boolean mayBeReady(Found then) {
            long more = 0;
            for (int i = 0; i < then.partitions.length; i++) {
                ReadableRole partition = then.partitions[i];
                if (!partition.isOn() || plan.wants().get(i).offset() < partition.logStartOffset()) {
                    return true;
                }
                if (hasNews(then, i)) {
                    return true;
                }
                if (partition.endOf(limit) > then.ends[i] && !then.wasHeld(i)) {
                    if (then.bytesBefore[i] == Found.NOT_KNOWN) {
                        return true;
                    }
                    more += Math.max(1, partition.appendedBytes() - then.bytesBefore[i]);
                }
            }
            return more > 0 && then.bytes + more >= plan.minBytes();
        }

        /** If an attempt is running, it sees {@code last} and does not wait again. */
        private void timeIsUp() {
            last = true;
            try {
                attemptAgain();
            } catch (RuntimeException | Error accident) {
                errors.error(
                        "A fetch failed at the end of its wait and is answered with NOT_LEADER_OR_FOLLOWER", accident);
                finish(refusals());
            }
        }

        private void attemptAgain() {
            if (takeOut()) {
                attempt();
            }
        }

        void abandon() {
            if (takeOut()) {
                finish(refusals());
            }
        }

        private List<FetchedPartition> refusals() {
            return plan.wants().stream()
                    .map(want -> FetchedPartition.failed(want.partition(), NOT_LEADER_OR_FOLLOWER))
                    .toList();
        }

        private void finish(List<FetchedPartition> answers) {
            Future<?> pending = timer;
            if (pending != null) {
                pending.cancel(false);
            }
            if (!answer.complete(answers)) {
                answers.forEach(one -> one.records().close());
            }
        }
    }
}
