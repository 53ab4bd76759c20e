package io.felice.console;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.partition.Partitions;
import io.felice.console.http.ApiRequest;
import io.felice.records.Batches;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * Reads one partition, from the leader's log or from that of a follower on this node, up to the high watermark. Joins no
 * group and commits nothing. A thread that may wait.
 */
final class PartitionReading {
    private static final int CHUNK_BYTES = 512 * 1024;

    private final Partitions partitions;
    private final TopicPartition id;
    private long start;
    private long end;

    /** @throws FeliceException if there is no replica on this node that could be read */
    PartitionReading(Partitions partitions, TopicPartition id) {
        this.partitions = partitions;
        this.id = id;
        refresh();
    }

    /** Reads anew where the partition starts and ends. */
    void refresh() {
        try {
            Partition partition = partitions.leader(id);
            start = partition.logStartOffset();
            end = partition.highWatermark();
        } catch (FeliceException notLed) {
            if (notLed.code() != ErrorCode.NOT_LEADER_OR_FOLLOWER) {
                throw notLed;
            }
            try (FetchedPartitionRecords fetched = fetch(0)) {
                start = fetched.of().logStartOffset();
                end = fetched.of().highWatermark();
            }
        }
    }

    int number() {
        return id.partition();
    }

    long start() {
        return start;
    }

    long end() {
        return end;
    }

    /** The first offset whose record is at least so new; empty if there is none, or if only the leader can say. */
    OptionalLong offsetFor(long timestamp) {
        return ApiRequest.await(partitions.leader(id).offsetFor(timestamp, ReadLimit.HIGH_WATERMARK))
                .map(found -> OptionalLong.of(found.offset()))
                .orElse(OptionalLong.empty());
    }

    /**
     * Passes the batches with records from {@code from} up to {@code to} to the visitor until it returns false.
     *
     * @return the offset from which to go on
     */
    long read(long from, long to, Predicate<RecordBatch> visitor) {
        long at = from;
        while (at < to) {
            try (FetchedPartitionRecords fetched = fetch(at)) {
                long next = visit(fetched, at, to, visitor);
                if (next < 0) {
                    return -next - 1;
                } else if (next <= at) {
                    return to;
                }
                at = next;
            }
        }
        return at;
    }

    /** The next offset, or -1 minus it if the visitor has stopped the reading. */
    private static long visit(FetchedPartitionRecords fetched, long at, long to, Predicate<RecordBatch> visitor) {
        long next = at;
        for (ByteBuffer bytes : FetchedBytes.of(fetched.of().records())) {
            for (RecordBatch batch : Batches.split(bytes.duplicate())) {
                if (batch.baseOffset() >= to) {
                    return to;
                } else if (batch.nextOffset() > at) {
                    next = batch.nextOffset();
                    if (!visitor.test(batch)) {
                        return -next - 1;
                    }
                }
            }
        }
        return Math.max(next, fetched.of().records().nextOffset());
    }

    private record FetchedPartitionRecords(FetchedPartition of) implements AutoCloseable {
        @Override
        public void close() {
            of.records().close();
        }
    }

    private FetchedPartitionRecords fetch(long from) {
        FetchPlan.Want want = new FetchPlan.Want(id, from, CHUNK_BYTES, -1, -1);
        FetchPlan plan = new FetchPlan(List.of(want), 0, CHUNK_BYTES, Duration.ZERO, false, FetchPlan.CONSUMER, -1, "");
        FetchedPartition fetched = ApiRequest.await(partitions.fetch(plan)).get(0);
        boolean isOutside = fetched.error() == ErrorCode.OFFSET_OUT_OF_RANGE && from == 0;
        if (fetched.error() != ErrorCode.NONE && !isOutside) {
            fetched.records().close();
            throw fetched.error().because("Partition " + id + " cannot be read here: " + fetched.error());
        }
        return new FetchedPartitionRecords(fetched);
    }
}
