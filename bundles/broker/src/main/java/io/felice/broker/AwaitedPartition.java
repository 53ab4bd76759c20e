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

/**
 * Stands in for a partition whose log is being opened or whose engine is away for a moment: what is asked of it waits, and
 * is done in order once the partition is there. Any thread; nothing is answered while its monitor is held.
 */
final class AwaitedPartition implements Partition {
    /** Something to be done with the partition. */
    private interface Call<T> {
        CompletionStage<T> on(Partition partition, Turn turn);
    }

    /** A call and who waits for it. */
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

    /** Does what waits, in order; {@code publish} runs before anything newer can reach the partition by another way. */
    void open(Partition partition, Runnable publish) {
        List<Runnable> endOfTurn = new ArrayList<>();
        List<Waiting<?>> begun;
        synchronized (this) {
            begun = List.copyOf(waiting);
            waiting.clear();
            begun.forEach(one -> one.begin(partition, endOfTurn::add));
            opened = partition;
            publish.run();
        }
        endOfTurn.forEach(Runnable::run);
        begun.forEach(Waiting::forward);
    }

    /** Nothing will come of it: what waits fails, and what comes later. */
    void refuse(FeliceException why) {
        List<Waiting<?>> failed;
        synchronized (this) {
            if (opened != null || refused != null) {
                return;
            }
            refused = why;
            failed = List.copyOf(waiting);
            waiting.clear();
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
