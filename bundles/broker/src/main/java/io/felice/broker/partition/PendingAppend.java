package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * An append that waits for the log's writer.
 *
 * @param appendTime the append time stamped on the batches, in milliseconds; -1 if there is none
 * @param deadline in nanoseconds of the monotonic clock
 */
record PendingAppend(
        List<RecordBatch> batches,
        Acks acks,
        Origin origin,
        long appendTime,
        long deadline,
        CompletableFuture<Appended> answer) {

    boolean hasSequence() {
        return origin != Origin.COORDINATOR && batches.get(0).hasProducerId();
    }
}
