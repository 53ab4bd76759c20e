package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * An append that was admitted and waits for its turn.
 *
 * @param appendTime what the batches were stamped with, in milliseconds; -1 if they were not
 * @param deadline in nanoseconds of the monotonic clock
 */
record PendingAppend(
        List<RecordBatch> batches,
        Acks acks,
        Origin origin,
        long appendTime,
        long deadline,
        CompletableFuture<Appended> answer) {

    /** True if its producer may have sent the same batch before. */
    boolean hasSequence() {
        return origin != Origin.COORDINATOR && batches.get(0).hasProducerId();
    }
}
