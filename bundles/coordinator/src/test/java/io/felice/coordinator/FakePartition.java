package io.felice.coordinator;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition;
import io.felice.api.storage.Records;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A partition in memory. A test can make it delay its answers, refuse appends and lose its leadership. */
final class FakePartition implements Partition {
    /** The log: the next leader of the partition gets the same one. */
    static final class Log {
        final List<RecordBatch> batches = new ArrayList<>();
        long start;
        long highWatermark;

        long end() {
            return batches.isEmpty() ? start : batches.get(batches.size() - 1).nextOffset();
        }
    }

    private final TopicPartition id;
    private final Log log;
    private final int leaderEpoch;
    private final Deque<Held> held = new ArrayDeque<>();
    private boolean holding;
    private ErrorCode refusing;
    private ErrorCode failingReads;
    private boolean lost;

    private record Held(Appended appended, CompletableFuture<Appended> answer) {}

    FakePartition(TopicPartition id, Log log, int leaderEpoch) {
        this.id = id;
        this.log = log;
        this.leaderEpoch = leaderEpoch;
    }

    /** From now on appends reach the log, but the high watermark stays, so that they are not answered. */
    void hold() {
        holding = true;
    }

    /** Moves the high watermark to the end of the log, and answers all appends that wait for it. */
    void release() {
        holding = false;
        log.highWatermark = log.end();
        List<Held> all = List.copyOf(held);
        held.clear();
        all.forEach(one -> one.answer().complete(one.appended()));
    }

    /** Answers the waiting appends as successful without moving the high watermark, as a broken broker would. */
    void answerHeld() {
        List<Held> all = List.copyOf(held);
        held.clear();
        all.forEach(one -> one.answer().complete(one.appended()));
    }

    /** Fails the waiting appends, although their records are in the log. */
    void failHeld(ErrorCode error) {
        holding = false;
        List<Held> all = List.copyOf(held);
        held.clear();
        all.forEach(one -> one.answer().completeExceptionally(error.because("test")));
    }

    int heldCount() {
        return held.size();
    }

    /** Refuses all appends with this error; null accepts them again. */
    void refuse(ErrorCode error) {
        refusing = error;
    }

    void failReads(ErrorCode error) {
        failingReads = error;
    }

    void lose() {
        lost = true;
    }

    /** Cuts the log at the high watermark: a new leader may not have the records above it. */
    void truncateToHighWatermark() {
        log.batches.removeIf(batch -> batch.baseOffset() >= log.highWatermark);
    }

    Log log() {
        return log;
    }

    @Override
    public TopicPartition id() {
        return id;
    }

    @Override
    public UUID topicId() {
        return new UUID(0, 1);
    }

    @Override
    public int leaderEpoch() {
        return leaderEpoch;
    }

    @Override
    public long logStartOffset() {
        return log.start;
    }

    @Override
    public long highWatermark() {
        return log.highWatermark;
    }

    @Override
    public long lastStableOffset() {
        return log.highWatermark;
    }

    @Override
    public long logEndOffset() {
        return log.end();
    }

    @Override
    public long sizeInBytes() {
        return log.batches.stream().mapToLong(RecordBatch::sizeInBytes).sum();
    }

    @Override
    public void checkEpoch(int epoch) {}

    @Override
    public CompletionStage<Appended> append(ByteBuffer batches, Acks acks, Origin origin, Duration timeout, Turn turn) {
        if (lost || refusing != null) {
            FeliceException reason = (lost ? NOT_LEADER_OR_FOLLOWER : refusing).because("test");
            return CompletableFuture.failedFuture(reason);
        }
        long base = log.end();
        for (RecordBatch batch : Batches.split(batches)) {
            Batches.check(batch);
            batch.stamp(log.end(), leaderEpoch);
            log.batches.add(batch);
        }
        Appended appended = new Appended(base, log.end() - 1, -1L, log.start);
        if (!holding) {
            log.highWatermark = log.end();
            return CompletableFuture.completedFuture(appended);
        }
        CompletableFuture<Appended> answer = new CompletableFuture<>();
        held.add(new Held(appended, answer));
        return answer;
    }

    @Override
    public CompletionStage<Records> read(long from, int maxBytes, ReadLimit limit) {
        if (lost || failingReads != null) {
            return CompletableFuture.failedFuture((lost ? NOT_LEADER_OR_FOLLOWER : failingReads).because("test"));
        }
        List<ByteBuffer> found = new ArrayList<>();
        int bytes = 0;
        long next = from;
        for (RecordBatch batch : log.batches) {
            if (batch.lastOffset() >= from && (found.isEmpty() || bytes + batch.sizeInBytes() <= maxBytes)) {
                found.add(batch.bytes().asReadOnlyBuffer());
                bytes += batch.sizeInBytes();
                next = batch.nextOffset();
            }
        }
        return CompletableFuture.completedFuture(new Records.InMemory(found, next, () -> {}));
    }

    @Override
    public EpochEnd endOfEpoch(int epoch) {
        return EpochEnd.UNKNOWN;
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetFor(long timestamp, ReadLimit limit) {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    @Override
    public CompletionStage<Optional<TimestampedOffset>> offsetOfMaxTimestamp() {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    @Override
    public CompletionStage<List<KnownProducer>> producers() {
        return CompletableFuture.completedFuture(List.of());
    }

    @Override
    public int epochOf(long offset) {
        return leaderEpoch;
    }

    @Override
    public CompletionStage<Long> deleteRecords(long before) {
        log.start = before;
        return CompletableFuture.completedFuture(before);
    }
}
