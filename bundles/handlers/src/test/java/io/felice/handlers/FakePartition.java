package io.felice.handlers;

import io.felice.api.ErrorCode;
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
 * A partition with log start offset 10, high watermark 20 and log end offset 30. Its leader epoch is 4 and begins at
 * offset 15.
 */
final class FakePartition implements Partition {
    static final int EPOCH = 4;

    final List<ByteBuffer> appended = new ArrayList<>();
    final List<Acks> acks = new ArrayList<>();
    final List<Origin> origins = new ArrayList<>();

    private final TopicPartition id;
    private CompletionStage<Appended> outcome = CompletableFuture.completedFuture(new Appended(20, 20, -1, 10));

    FakePartition(TopicPartition id) {
        this.id = id;
    }

    void answer(CompletionStage<Appended> outcome) {
        this.outcome = outcome;
    }

    @Override
    public TopicPartition id() {
        return id;
    }

    @Override
    public UUID topicId() {
        return new UUID(3, 3);
    }

    @Override
    public int leaderEpoch() {
        return EPOCH;
    }

    @Override
    public long logStartOffset() {
        return 10;
    }

    @Override
    public long highWatermark() {
        return 20;
    }

    @Override
    public long lastStableOffset() {
        return 18;
    }

    @Override
    public long logEndOffset() {
        return 30;
    }

    @Override
    public long sizeInBytes() {
        return 1000;
    }

    @Override
    public void checkEpoch(int epoch) {
        if (epoch >= 0 && epoch < EPOCH) {
            throw ErrorCode.FENCED_LEADER_EPOCH.because("epoch " + epoch);
        }
        if (epoch > EPOCH) {
            throw ErrorCode.UNKNOWN_LEADER_EPOCH.because("epoch " + epoch);
        }
    }

    @Override
    public CompletionStage<Appended> append(
            ByteBuffer batches, Acks level, Origin origin, Duration timeout, Turn turn) {
        appended.add(batches);
        acks.add(level);
        origins.add(origin);
        return outcome;
    }

    @Override
    public CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit) {
        return CompletableFuture.completedFuture(Records.EMPTY);
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        return epoch < 3 ? EpochEnd.UNKNOWN : new EpochEnd(epoch, epoch == EPOCH ? 30 : 15);
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return CompletableFuture.completedFuture(
                timestamp > 1000 ? Optional.empty() : Optional.of(new TimestampedOffset(12, 1000, 3)));
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return CompletableFuture.completedFuture(Optional.of(new TimestampedOffset(13, 1000, 3)));
    }

    @Override
    public CompletionStage<List<KnownProducer>> producers() {
        return CompletableFuture.completedFuture(List.of(new KnownProducer(77, (short) 2, 41, 123_456)));
    }

    @Override
    public int epochOf(long offset) {
        return offset < 15 ? 3 : EPOCH;
    }

    @Override
    public CompletionStage<Long> deleteRecords(long before) {
        if (before > highWatermark()) {
            return CompletableFuture.failedFuture(ErrorCode.OFFSET_OUT_OF_RANGE.because("above the high watermark"));
        }
        return CompletableFuture.completedFuture(before == -1 ? highWatermark() : before);
    }
}
