package io.felice.replication;

import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;

/** A replica that keeps the batches in memory, and does what a test asks it for. */
final class FakeFollowed implements FollowedPartition {
    final List<String> events = new CopyOnWriteArrayList<>();
    final List<byte[]> batches = new CopyOnWriteArrayList<>();
    private final TopicPartition id;
    private final UUID topicId;
    private final int leader;
    private final int leaderEpoch;
    private volatile long end;
    private volatile int lastEpoch = -1;
    private volatile long start;
    volatile boolean following = true;
    volatile long highWatermark = -1;
    /** The next append fails with this. */
    volatile RuntimeException failure;
    /** Appends complete when this does. */
    volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);

    FakeFollowed(String topic, int partition, UUID topicId, int leader, int leaderEpoch) {
        this.id = new TopicPartition(topic, partition);
        this.topicId = topicId;
        this.leader = leader;
        this.leaderEpoch = leaderEpoch;
    }

    FakeFollowed at(long offset, int epoch) {
        end = offset;
        lastEpoch = epoch;
        return this;
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
    public int leader() {
        return leader;
    }

    @Override
    public int leaderEpoch() {
        return leaderEpoch;
    }

    @Override
    public boolean isFollowing() {
        return following;
    }

    @Override
    public long fetchOffset() {
        return end;
    }

    @Override
    public int lastFetchedEpoch() {
        return lastEpoch;
    }

    @Override
    public long logStartOffset() {
        return start;
    }

    @Override
    public CompletionStage<Void> append(Fetched fetched) {
        RuntimeException now = failure;
        if (now != null) {
            failure = null;
            events.add("failed at " + end);
            return CompletableFuture.failedFuture(now);
        }
        return gate.thenRun(() -> take(fetched));
    }

    private void take(Fetched fetched) {
        List<byte[]> copies = new ArrayList<>();
        long next = end;
        int epoch = lastEpoch;
        for (RecordBatch batch : Batches.splitWhole(fetched.records())) {
            Batches.checkCrc(batch);
            if (batch.baseOffset() != next) {
                events.add("gap at " + next + ": " + batch.baseOffset());
            }
            next = batch.nextOffset();
            epoch = batch.leaderEpoch();
            ByteBuffer bytes = batch.bytes().duplicate();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            copies.add(copy);
        }
        batches.addAll(copies);
        lastEpoch = epoch;
        highWatermark = fetched.highWatermark();
        end = next;
    }

    @Override
    public CompletionStage<Void> truncate(EpochEnd leaders) {
        events.add("truncate to " + leaders.epoch() + "@" + leaders.endOffset());
        at(leaders.endOffset(), leaders.epoch());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> outOfRange(long leaderStart, long leaderEnd) {
        events.add("out of range " + leaderStart + ".." + leaderEnd);
        at(leaderStart, -1);
        start = leaderStart;
        return CompletableFuture.completedFuture(null);
    }
}
