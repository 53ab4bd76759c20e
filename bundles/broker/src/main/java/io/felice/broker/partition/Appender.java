package io.felice.broker.partition;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.SerialExecutor;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/**
 * Appends the batches of clients and of the coordinator. As the log's writer it checks the producer's sequence, stamps
 * offsets and the leader epoch, and writes. The {@link Leadership} answers when the append's acks are fulfilled.
 */
final class Appender {
    /** The shortest timeout of an append; shorter timeouts of requests are raised to it. */
    private static final long LEAST_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final TopicPartition partition;
    private final Leadership leadership;
    private volatile OpenedLog log;
    private final BatchAdmission admission;
    private final Environment environment;
    /** The appends on the threads of {@link BatchAdmission#recompression}, in order. */
    private final SerialExecutor line;

    /** The appends of a third party's engine whose writer may hang: they are answered without it if the role ends. */
    private final Set<CompletableFuture<Appended>> unplaced = ConcurrentHashMap.newKeySet();

    /** How many appends are in {@link #line}. */
    private final AtomicInteger behind = new AtomicInteger();

    Appender(Leadership leadership, OpenedLog log, BatchAdmission admission, Environment environment) {
        this.partition = log.partition();
        this.leadership = leadership;
        this.log = log;
        this.admission = admission;
        this.environment = environment;
        this.line = new SerialExecutor(partition, admission.recompression());
    }

    /** As the log's writer: a copy has taken the place of the log. The appends behind this task write to the copy. */
    void moveTo(OpenedLog copy) {
        log = copy;
    }

    /**
     * Any thread; as {@link io.felice.api.partition.Partition#append}. A third party's engine gets a copy: the bytes of the
     * request are used for other requests after the answer, also if the engine still reads them.
     */
    CompletionStage<Appended> append(ByteBuffer sent, Acks acks, Origin origin, Duration timeout, Turn turn) {
        ByteBuffer bytes = log.engine().isOwn() ? sent : copyOf(sent);
        long deadline = environment.nanos().getAsLong() + Math.max(timeout.toNanos(), LEAST_PATIENCE_NANOS);
        if (behind.get() == 0 && !BatchAdmission.takesLong(bytes, origin, log.rules())) {
            return append(bytes, acks, origin, deadline, turn);
        }
        return appendBehind(bytes, acks, origin, deadline);
    }

    private static ByteBuffer copyOf(ByteBuffer bytes) {
        return ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
    }

    /**
     * Leaves the work to the threads of the admission. While such a batch is under way, the batches after it wait for it,
     * so that the batches of a connection stay in order.
     */
    private CompletionStage<Appended> appendBehind(ByteBuffer bytes, Acks acks, Origin origin, long deadline) {
        CompletableFuture<Appended> answer = new CompletableFuture<>();
        behind.incrementAndGet();
        line.later(() -> {
            try {
                append(bytes, acks, origin, deadline, Turn.IMMEDIATE).whenComplete(passOnTo(answer));
            } catch (Error accident) {
                answer.completeExceptionally(accident);
                throw accident;
            } finally {
                behind.decrementAndGet();
            }
        });
        return answer;
    }

    private static BiConsumer<Appended, Throwable> passOnTo(CompletableFuture<Appended> answer) {
        return (appended, failure) -> {
            if (failure == null) {
                answer.complete(appended);
            } else {
                answer.completeExceptionally(failure);
            }
        };
    }

    private CompletionStage<Appended> append(ByteBuffer bytes, Acks acks, Origin origin, long deadline, Turn turn) {
        PendingAppend append;
        try {
            append = admitted(bytes, acks, origin, deadline);
        } catch (RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        if (!log.engine().isOwn()) {
            answerIfTheRoleEnds(append);
        }
        log.write(new Write(append), turn);
        return append.answer();
    }

    private void answerIfTheRoleEnds(PendingAppend append) {
        unplaced.add(append.answer());
        append.answer().whenComplete((appended, failure) -> unplaced.remove(append.answer()));
        try {
            leadership.mustBeOn();
        } catch (FeliceException ended) {
            append.answer().completeExceptionally(ended);
        }
    }

    /** The role has ended. Any thread. */
    void end(FeliceException why) {
        unplaced.forEach(answer -> answer.completeExceptionally(why));
    }

    private PendingAppend admitted(ByteBuffer bytes, Acks acks, Origin origin, long deadline) {
        mustTakeRecords();
        if (acks == Acks.ALL) {
            leadership.mustHaveEnoughReplicas();
        } else {
            leadership.mustBeKnownToLead();
        }
        TopicRules rules = log.rules();
        long millis = environment.clock().millis();
        List<RecordBatch> batches = admission.admit(bytes, origin, rules, millis);
        if (rules.stampsAppendTime()) {
            batches.forEach(batch -> Batches.stampAppendTime(batch, millis));
        }
        long appendTime = rules.stampsAppendTime() ? millis : -1;
        return new PendingAppend(batches, acks, origin, appendTime, deadline, new CompletableFuture<>());
    }

    private void mustTakeRecords() {
        leadership.mustBeOn();
        log.mustTakeRecords();
    }

    // ---- as the writer

    private final class Write implements Runnable {
        private final PendingAppend append;

        Write(PendingAppend append) {
            this.append = append;
        }

        @Override
        public void run() {
            if (!log.writer().holdsBack(this)) {
                write(false);
            }
        }

        /** @param isPrepared true if the log has just been prepared for this append */
        private void write(boolean isPrepared) {
            try {
                mustTakeRecords();
                if (isTooLate(append)) {
                    return;
                }
                if (isPrepared || log.isPrepared(leadership.leaderEpoch())) {
                    place(append);
                } else {
                    log.writer()
                            .handOver(() -> log.prepare(leadership.leaderEpoch(), log.endOffset()), () -> write(true));
                }
            } catch (RuntimeException refused) {
                append.answer().completeExceptionally(refused);
            } catch (Error accident) {
                append.answer().completeExceptionally(log.fail(accident));
                throw accident;
            }
        }
    }

    /**
     * Fails an append whose deadline has passed, because the client may have sent it again. A batch with a sequence is
     * always appended: its duplicate is recognised, and without it the producer's next batch would be out of order.
     */
    private boolean isTooLate(PendingAppend append) {
        if (append.hasSequence() || environment.nanos().getAsLong() - append.deadline() <= 0) {
            return false;
        }
        append.answer().completeExceptionally(PlacedAppends.timedOut(partition));
        return true;
    }

    private void place(PendingAppend append) {
        List<RecordBatch> batches = append.batches();
        if (append.hasSequence()) {
            Optional<Producers.Remembered> first = log.producers().check(batches.get(0));
            if (first.isPresent()) {
                answerAsThen(append, first.get());
                return;
            }
        }
        long now = environment.clock().millis();
        long end = log.endOffset();
        leadership.growsFrom(end);
        long bytes = 0;
        for (RecordBatch batch : batches) {
            batch.stamp(end, leadership.leaderEpoch());
            log.append(batch, now);
            end = batch.nextOffset();
            bytes += batch.sizeInBytes();
        }
        await(append, batches.get(0).baseOffset(), end - 1, append.appendTime());
        log.appended(bytes, end);
    }

    /** A duplicate gets the answer of the first append, under the same conditions. */
    private void answerAsThen(PendingAppend append, Producers.Remembered first) {
        long time = log.rules().stampsAppendTime() ? first.timestamp() : -1;
        await(append, first.baseOffset(), first.lastOffset(), time);
    }

    private void await(PendingAppend append, long baseOffset, long lastOffset, long appendTime) {
        Appended result = new Appended(baseOffset, lastOffset, appendTime, log.startOffset());
        leadership.await(new PlacedAppends.Placed(result, append.deadline(), append.answer()), append.acks());
    }
}
