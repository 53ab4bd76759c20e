package io.felice.coordinator;

import static io.felice.api.ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
import static io.felice.api.ErrorCode.MESSAGE_TOO_LARGE;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.NOT_COORDINATOR;
import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.SerialExecutor;
import io.felice.api.Turn;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Origin;
import io.felice.coordinator.OffsetsRecord.GroupStored;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.records.BatchBuilder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The groups of one partition of {@code __consumer_offsets}, while this node leads it in one leader epoch. The groups are a
 * state machine that is replayed from the partition: a request makes records, the records are appended, then replayed into
 * memory in the order of the log, then the request is answered. Loading replays records by the same method.
 *
 * <p>Changed on its serial executor only; while loading, by the one thread that loads. When the leadership ends, every open
 * request is answered with NOT_COORDINATOR. A write of the old epoch is not reported as successful after that.
 */
final class Shard {
    private static final Logger LOG = LoggerFactory.getLogger(Shard.class);

    /** Batches up to this size are written even if {@code max.message.bytes} of the topic is lower. */
    private static final int SMALL_BATCH_BYTES = 64 * 1024;

    /** An append is answered when it is committed or when the leadership ends. */
    private static final Duration UNTIL_LEADERSHIP_ENDS = Duration.ofDays(365);

    private enum Phase {
        LOADING,
        ACTIVE,
        RETIRED
    }

    private final Partition partition;
    private final int leaderEpoch;
    private final Configs configs;
    private final IntSupplier groupsOfNode;
    private final Time time;
    private final SerialExecutor executor;
    private final ShardTimers timers;
    private final Map<String, Group> groups = new ConcurrentHashMap<>();
    private final Deque<Write> inFlight = new ArrayDeque<>();
    private final List<Runnable> answers = new ArrayList<>();
    private boolean watchesWrites;
    private volatile Phase phase = Phase.LOADING;

    /** @param groupsOfNode counts the groups of all shards */
    Shard(
            Partition partition,
            int leaderEpoch,
            Configs configs,
            IntSupplier groupsOfNode,
            Time time,
            ScheduledExecutorService scheduler) {
        this.partition = partition;
        this.leaderEpoch = leaderEpoch;
        this.configs = configs;
        this.groupsOfNode = groupsOfNode;
        this.time = time;
        this.executor = new SerialExecutor(partition.id(), new Overflow(scheduler));
        this.timers = new ShardTimers(time, scheduler, this::execute);
    }

    /** Runs the queue's tasks on the pool, or on the caller's thread once the pool is shut down. */
    private record Overflow(Executor pool) implements Executor {
        @Override
        public void execute(Runnable rest) {
            try {
                pool.execute(rest);
            } catch (RejectedExecutionException gone) {
                rest.run();
            }
        }
    }

    Partition partition() {
        return partition;
    }

    int leaderEpoch() {
        return leaderEpoch;
    }

    ShardTimers timers() {
        return timers;
    }

    Time time() {
        return time;
    }

    Configs configs() {
        return configs;
    }

    // ---- requests

    /** NONE, or the error for every request while the shard is loading or retired. From any thread. */
    ErrorCode refusal() {
        return switch (phase) {
            case LOADING -> COORDINATOR_LOAD_IN_PROGRESS;
            case ACTIVE -> NONE;
            case RETIRED -> NOT_COORDINATOR;
        };
    }

    /**
     * Runs {@code request} on the shard's executor. The request passes its future to {@link #answer}, now or later.
     *
     * @param refused makes the answer if the shard is loading or retired, from its error
     */
    <T> CompletionStage<T> ask(Function<ErrorCode, T> refused, Consumer<CompletableFuture<T>> request) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        if (refusal() != NONE) {
            answer.complete(refused.apply(refusal()));
            return answer;
        }
        execute(() -> {
            if (refusal() != NONE) {
                answer(answer, refused.apply(refusal()));
                return;
            }
            try {
                request.accept(answer);
            } catch (RuntimeException broken) {
                answers.add(() -> answer.completeExceptionally(broken));
            }
        });
        return answer;
    }

    /** Completes the future at the end of the current task, so that its dependents see a consistent state. */
    <T> void answer(CompletableFuture<T> waiting, T value) {
        answers.add(() -> waiting.complete(value));
    }

    /** Runs {@code task} on the shard's executor, then completes the futures that it has passed to {@link #answer}. */
    void execute(Runnable task) {
        executor.execute(() -> {
            try {
                task.run();
            } finally {
                giveAnswers();
            }
        });
    }

    private void giveAnswers() {
        List<Runnable> ready = List.copyOf(answers);
        answers.clear();
        ready.forEach(Runnable::run);
    }

    // ---- groups

    /** The group, or null if it does not exist. From any thread. */
    Group group(String groupId) {
        return groups.get(groupId);
    }

    /** Whether {@code groups.max} lets a client make this group, or the group exists already. */
    boolean hasRoomFor(String groupId) {
        return groups.containsKey(groupId)
                || groupsOfNode.getAsInt() < configs.broker().getInt(BrokerConfig.GROUPS_MAX);
    }

    Group groupOrNew(String groupId) {
        return groups.computeIfAbsent(groupId, id -> new Group(id, time.calendarMs()));
    }

    /** From any thread. */
    Collection<Group> groups() {
        return groups.values();
    }

    /** Drops the group from memory if nothing of it is left and no write of it is under way. */
    void dropIfVoid(Group group) {
        if (group.isVoid() && !isBeingStored(group)) {
            drop(group);
        }
    }

    /** Whether the log has a generation of the group, or a write of one is under way. */
    boolean isStored(Group group) {
        return group.stored() != null || isBeingStored(group);
    }

    private boolean isBeingStored(Group group) {
        return inFlight.stream()
                .flatMap(write -> write.records.stream())
                .anyMatch(record -> record instanceof GroupStored generation
                        && generation.group().equals(group.id()));
    }

    void drop(Group group) {
        group.dispose();
        groups.remove(group.id(), group);
    }

    // ---- the log

    /** Records whose append has begun. */
    private static final class Write {
        private final List<? extends OffsetsRecord> records;
        private final long deadlineMs;
        private final Runnable ended;
        /** Null once the write has been reported. */
        private Consumer<ErrorCode> then;

        private boolean done;
        private Throwable failure;

        private Write(
                List<? extends OffsetsRecord> records, long deadlineMs, Consumer<ErrorCode> then, Runnable ended) {
            this.records = records;
            this.deadlineMs = deadlineMs;
            this.then = then;
            this.ended = ended;
        }

        private void report(ErrorCode error) {
            Consumer<ErrorCode> waiting = then;
            then = null;
            if (waiting != null) {
                waiting.accept(error);
            }
        }

        /** Records are also in the log if too few replicas were in sync when they were committed. */
        private boolean isInLog() {
            return failure == null || FeliceException.codeOf(failure) == NOT_ENOUGH_REPLICAS_AFTER_APPEND;
        }
    }

    /**
     * Appends the records as one batch. When they are committed they are replayed, and {@code then} gets NONE; if the append
     * fails, {@code then} gets the error. Writes are reported in the order in which they began.
     *
     * <p>If the records are not committed in time, {@code then} gets REQUEST_TIMED_OUT, but they are in the log: they are
     * replayed as soon as they are committed, as every later leader will replay them.
     */
    void write(List<? extends OffsetsRecord> records, Consumer<ErrorCode> then) {
        write(records, then, () -> {});
    }

    /** @param ended runs after {@code then}, and not before it is known whether the records are in the log */
    void write(List<? extends OffsetsRecord> records, Consumer<ErrorCode> then, Runnable ended) {
        if (phase != Phase.ACTIVE) {
            then.accept(NOT_COORDINATOR);
            ended.run();
            return;
        }
        Write write = new Write(records, time.nowMs() + GroupLimits.WRITE_TIMEOUT.toMillis(), then, ended);
        inFlight.add(write);
        watchWrites(GroupLimits.WRITE_TIMEOUT.toMillis());
        append(records)
                .whenComplete((appended, failure) -> execute(() -> {
                    write.done = true;
                    write.failure = failure;
                    endWrites();
                }));
    }

    /** Reports the writes that are late. */
    private void watchWrites(long afterMs) {
        if (!watchesWrites) {
            watchesWrites = true;
            timers.in(afterMs, () -> {
                watchesWrites = false;
                long now = time.nowMs();
                List.copyOf(inFlight).stream()
                        .filter(write -> write.deadlineMs <= now)
                        .forEach(write -> write.report(REQUEST_TIMED_OUT));
                inFlight.stream()
                        .filter(write -> write.then != null)
                        .findFirst()
                        .ifPresent(next -> watchWrites(next.deadlineMs - now));
            });
        }
    }

    private CompletionStage<Partition.Appended> append(List<? extends OffsetsRecord> records) {
        try {
            long now = time.calendarMs();
            BatchBuilder builder = new BatchBuilder();
            records.forEach(record -> builder.add(now, OffsetsCodec.key(record), OffsetsCodec.value(record)));
            RecordBatch batch = builder.build();
            if (batch.sizeInBytes() > SMALL_BATCH_BYTES && batch.sizeInBytes() > maxBatchBytes()) {
                throw MESSAGE_TOO_LARGE.because("A batch of " + batch.sizeInBytes() + " bytes is larger than"
                        + " max.message.bytes of " + partition.id());
            }
            return partition.append(batch.bytes(), Acks.ALL, Origin.COORDINATOR, UNTIL_LEADERSHIP_ENDS, Turn.IMMEDIATE);
        } catch (RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    int maxBatchBytes() {
        return configs.topic(partition.id().topic()).getInt(TopicConfig.MAX_MESSAGE_BYTES);
    }

    private void endWrites() {
        while (phase == Phase.ACTIVE && !inFlight.isEmpty() && inFlight.peek().done) {
            Write write = inFlight.poll();
            if (write.isInLog()) {
                write.records.forEach(this::replay);
            }
            if (write.failure == null) {
                write.report(NONE);
            } else {
                ErrorCode error = FeliceException.codeOf(write.failure);
                LOG.debug("Records were not written to {}: {}", partition.id(), error, write.failure);
                write.report(error);
            }
            write.ended.run();
            dropVoidGroups(write);
        }
    }

    /** A group is void if its tombstones, which were late, are committed now. */
    private void dropVoidGroups(Write write) {
        write.records.stream().map(OffsetsRecord::group).distinct().forEach(id -> {
            Group group = groups.get(id);
            if (group != null) {
                dropIfVoid(group);
            }
        });
    }

    /** Applies one record of the log to its group: the same method while loading and while running. */
    void replay(OffsetsRecord record) {
        if (record instanceof OffsetStored offset) {
            Group group = offset.value() == null ? groups.get(offset.group()) : groupOrNew(offset.group());
            if (group != null) {
                group.replay(offset.partition(), offset.value());
            }
        } else if (record instanceof GroupStored generation) {
            Group group = generation.value() == null ? groups.get(generation.group()) : groupOrNew(generation.group());
            if (group != null) {
                group.replay(generation.value());
            }
        }
    }

    // ---- life

    boolean isLoading() {
        return phase == Phase.LOADING;
    }

    boolean isActive() {
        return phase == Phase.ACTIVE;
    }

    boolean isRetired() {
        return phase == Phase.RETIRED;
    }

    /**
     * Serves requests from now on; called when the log has been replayed. {@code ready} starts the timers of each group. The
     * phase changes only after all groups have resumed, because heartbeats on other threads read the groups from then on.
     */
    void activate(Consumer<Group> ready) {
        execute(() -> {
            if (isRetired()) {
                return;
            }
            for (Group group : groups.values()) {
                group.resume();
                dropIfVoid(group);
            }
            phase = Phase.ACTIVE;
            groups.values().forEach(ready);
        });
    }

    /**
     * Ends the shard when this node no longer leads the partition, and answers all open requests.
     *
     * @return completes when the shard will append nothing any more
     */
    CompletionStage<Void> retire(Consumer<Group> farewell) {
        CompletableFuture<Void> retired = new CompletableFuture<>();
        execute(() -> {
            try {
                retireOnce(farewell);
            } finally {
                // Whatever fails: the shard of the next leadership waits for the end of this one.
                answers.add(() -> retired.complete(null));
            }
        });
        return retired;
    }

    private void retireOnce(Consumer<Group> farewell) {
        if (isRetired()) {
            return;
        }
        boolean loaded = isActive();
        phase = Phase.RETIRED;
        timers.close();
        if (loaded) {
            groups.values().forEach(farewell);
        }
        inFlight.forEach(write -> {
            write.report(NOT_COORDINATOR);
            write.ended.run();
        });
        inFlight.clear();
    }
}
