package io.felice.broker;

import static io.felice.api.ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * An append on its way: waits for its turn as the writer, is placed in the log, waits for the high watermark. Passed from
 * one to the next; completed on any thread.
 */
final class PendingAppend extends CompletableFuture<Appended> implements Runnable {
    private final Appender appender;
    private final Leadership leadership;
    private List<RecordBatch> batches;
    private final Acks acks;
    private final Origin origin;
    private final long appendTime;
    private final long deadline;
    private Appended result;

    /**
     * @param appendTime what the batches were stamped with, in milliseconds; -1 if they were not
     * @param deadline in nanoseconds
     */
    PendingAppend(
            Appender appender,
            Leadership leadership,
            List<RecordBatch> batches,
            Acks acks,
            Origin origin,
            long appendTime,
            long deadline) {
        this.appender = appender;
        this.leadership = leadership;
        this.batches = batches;
        this.acks = acks;
        this.origin = origin;
        this.appendTime = appendTime;
        this.deadline = deadline;
    }

    List<RecordBatch> batches() {
        return batches;
    }

    long appendTime() {
        return appendTime;
    }

    /** True if its producer may have sent it before. */
    boolean hasSequence() {
        return origin == Origin.CLIENT && batches.get(0).hasProducerId();
    }

    /** As the writer. */
    @Override
    public void run() {
        appender.take(this);
    }

    /** It is in the log, and answered so once the high watermark has passed it; nothing needs its bytes any more. */
    void placed(Appended answer) {
        result = answer;
        batches = null;
        leadership.await(this);
    }

    long endOffset() {
        return result.lastOffset() + 1;
    }

    void answer() {
        if (acks == Acks.ALL && leadership.hasTooFewReplicas()) {
            completeExceptionally(NOT_ENOUGH_REPLICAS_AFTER_APPEND.because(
                    "Too few replicas of " + leadership.partition() + " are in sync since it was appended"));
        } else {
            complete(result);
        }
    }

    /** Answers that it took too long, if it did; {@code nanos} is the time now. */
    boolean expire(long nanos) {
        boolean late = nanos - deadline > 0;
        if (late) {
            completeExceptionally(
                    REQUEST_TIMED_OUT.because(leadership.partition() + " could not make it durable in time"));
        }
        return late;
    }
}
