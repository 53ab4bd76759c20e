package io.felice.broker;

import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Replaces a partition whose log is being opened or whose storage engine is being replaced. Calls wait, and are passed
 * to the partition in order once it is open. Any thread; no call is answered while the monitor is held.
 */
final class AwaitedPartition implements Partition {
    /**
     * After so many rounds the waiting calls are passed on under the monitor, so that callers cannot add calls forever.
     */
    static final int MOST_ROUNDS = 100;

    private interface Call<T> {
        CompletionStage<T> on(Partition partition, Turn turn);
    }

    private static final class Waiting<T> {
        private final Call<T> call;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private CompletionStage<T> begun;

        Waiting(Call<T> call) {
            this.call = call;
        }

        void begin(Partition partition, Turn turn) {
            begun = call.on(partition, turn);
        }

        void forward() {
            begun.whenComplete((value, failure) -> {
                if (failure == null) {
                    answer.complete(value);
                } else {
                    answer.completeExceptionally(failure);
                }
            });
        }
    }

    private final TopicPartition id;
    private final UUID topicId;
    private final int leaderEpoch;
    private final List<Waiting<?>> waiting = new ArrayList<>();
    private Partition opened;
    private FeliceException refused;

    AwaitedPartition(TopicPartition id, UUID topicId, int leaderEpoch) {
        this.id = id;
        this.topicId = topicId;
        this.leaderEpoch = leaderEpoch;
    }

    /**
     * Passes the waiting calls to the partition, in order. {@code publish} runs before newer calls can reach the
     * partition directly. Calls that arrive meanwhile wait for the next round, so that their callers do not block.
     * Calls are answered after the last round: clients without an answer send no more requests, so the rounds end.
     *
     * @param settling runs the ends of turns, which may block, after the last round
     */
    void open(Partition partition, Runnable publish, Executor settling) {
        List<Runnable> endOfTurn = new ArrayList<>();
        List<Waiting<?>> begun = new ArrayList<>();
        for (int round = 0; round < MOST_ROUNDS && !publishIfNothingWaits(partition, publish); round++) {
            begun.addAll(beginAll(takeWaiting(), partition, endOfTurn::add));
        }
        synchronized (this) {
            while (opened == null && !publishIfNothingWaits(partition, publish)) {
                begun.addAll(beginAll(takeWaiting(), partition, endOfTurn::add));
            }
        }
        settling.execute(() -> endOfTurn.forEach(Runnable::run));
        begun.forEach(Waiting::forward);
    }

    private synchronized boolean publishIfNothingWaits(Partition partition, Runnable publish) {
        if (!waiting.isEmpty()) {
            return false;
        }
        opened = partition;
        publish.run();
        return true;
    }

    private synchronized List<Waiting<?>> takeWaiting() {
        List<Waiting<?>> taken = List.copyOf(waiting);
        waiting.clear();
        return taken;
    }

    private static List<Waiting<?>> beginAll(List<Waiting<?>> round, Partition partition, Turn turn) {
        round.forEach(one -> one.begin(partition, turn));
        return round;
    }

    /** Fails the waiting calls and all later calls. */
    void refuse(FeliceException why) {
        List<Waiting<?>> failed;
        synchronized (this) {
            if (opened != null || refused != null) {
                return;
            }
            refused = why;
            failed = takeWaiting();
        }
        failed.forEach(one -> one.answer.completeExceptionally(why));
    }

    synchronized boolean isRefused() {
        return refused != null;
    }

    private <T> CompletionStage<T> when(Turn turn, Call<T> call) {
        Partition partition;
        synchronized (this) {
            if (refused != null) {
                return CompletableFuture.failedFuture(refused);
            }
            if (opened == null) {
                Waiting<T> one = new Waiting<>(call);
                waiting.add(one);
                return one.answer;
            }
            partition = opened;
        }
        return call.on(partition, turn);
    }

    private synchronized Partition now() {
        if (opened == null) {
            throw refused != null ? refused : LEADER_NOT_AVAILABLE.because(id + " is not open yet");
        }
        return opened;
    }

    @Override
    public TopicPartition id() {
        return id;
    }

    @Override
    public UUID topicId() {
        return topicId;
    }

    @Override
    public int leaderEpoch() {
        return leaderEpoch;
    }

    @Override
    public CompletionStage<Appended> append(ByteBuffer batches, Acks acks, Origin origin, Duration timeout, Turn turn) {
        return when(turn, (partition, t) -> partition.append(batches, acks, origin, timeout, t));
    }

    @Override
    public CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit) {
        return when(Turn.IMMEDIATE, (partition, t) -> partition.read(from, maxBytes, limit));
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return when(Turn.IMMEDIATE, (partition, t) -> partition.offsetFor(timestamp, limit));
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return when(Turn.IMMEDIATE, (partition, t) -> partition.offsetOfMaxTimestamp());
    }

    @Override
    public CompletionStage<List<KnownProducer>> producers() {
        return when(Turn.IMMEDIATE, (partition, t) -> partition.producers());
    }

    @Override
    public CompletionStage<Long> deleteRecords(long before) {
        return when(Turn.IMMEDIATE, (partition, t) -> partition.deleteRecords(before));
    }

    @Override
    public long logStartOffset() {
        return now().logStartOffset();
    }

    @Override
    public long highWatermark() {
        return now().highWatermark();
    }

    @Override
    public long lastStableOffset() {
        return now().lastStableOffset();
    }

    @Override
    public long logEndOffset() {
        return now().logEndOffset();
    }

    @Override
    public long latestOffset(ReadLimit limit) {
        return now().latestOffset(limit);
    }

    @Override
    public long sizeInBytes() {
        return now().sizeInBytes();
    }

    @Override
    public void checkEpoch(int epoch) {
        now().checkEpoch(epoch);
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        return now().endOfEpoch(epoch);
    }

    @Override
    public int epochOf(long offset) {
        return now().epochOf(offset);
    }
}
