package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.Partitions;
import io.felice.api.storage.Records;
import io.felice.records.BatchBuilder;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A compacted topic of the wire with one partition: what it knows is the replayed log. Any thread. */
final class OwnTopic {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int READ_BYTES = 1 << 20;

    private final TopicPartition id;
    private final Partitions partitions;
    private final MqttTopics topics;
    private final Retries retries;
    private final InstantSource clock;

    OwnTopic(String name, Partitions partitions, MqttTopics topics, Retries retries, InstantSource clock) {
        this.id = new TopicPartition(name, 0);
        this.partitions = partitions;
        this.topics = topics;
        this.retries = retries;
        this.clock = clock;
    }

    String name() {
        return id.topic();
    }

    /** Completes with the offset when all in-sync replicas have the record. {@code value} is null for a tombstone. */
    CompletionStage<Long> put(String key, byte[] value, List<RecordHeader> headers) {
        ByteBuffer bytes = new BatchBuilder()
                .add(
                        clock.millis(),
                        ByteBuffer.wrap(key.getBytes(StandardCharsets.UTF_8)),
                        value == null ? null : ByteBuffer.wrap(value),
                        headers)
                .build()
                .bytes();
        return topics.ownReady(id.topic())
                .thenCompose(count -> retries.of(() -> partitions
                        .leader(id)
                        .append(bytes, Partition.Acks.ALL, Partition.Origin.CLIENT, TIMEOUT, Turn.IMMEDIATE)))
                .thenApply(Partition.Appended::baseOffset);
    }

    /** Passes all records to the visitor. Blocks. Does nothing if there is no such topic. */
    void replay(RecordReader.HeaderVisitor visitor) throws InterruptedException {
        if (topics.partitions(id.topic()) == 0) {
            return;
        }
        Partition partition = partitions.leader(id);
        long end = partition.highWatermark();
        long next = partition.logStartOffset();
        while (next < end) {
            try (Records records = await(partition.read(next, READ_BYTES, ReadLimit.HIGH_WATERMARK))) {
                for (ByteBuffer bytes : RecordBytes.of(records)) {
                    for (RecordBatch batch : Batches.split(bytes.duplicate())) {
                        RecordReader.readWithHeaders(batch, visitor);
                    }
                }
                next = records.sizeInBytes() == 0 ? end : records.nextOffset();
            }
        }
    }

    private static <T> T await(CompletionStage<T> stage) throws InterruptedException {
        try {
            return stage.toCompletableFuture().get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            throw FeliceException.codeOf(failure).because(String.valueOf(failure.getMessage()), failure);
        } catch (TimeoutException late) {
            throw ErrorCode.REQUEST_TIMED_OUT.because("The log does not answer", late);
        }
    }
}
