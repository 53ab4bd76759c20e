package io.felice.broker.partition;

import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.partition.Partition.Appended;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/** Appends that are in the log and wait until an offset passes them, in the order of their offsets. Any thread. */
final class PlacedAppends {
    private final Queue<Placed> waiting = new ConcurrentLinkedQueue<>();

    /** @param deadline in nanoseconds of the monotonic clock */
    record Placed(Appended result, long deadline, CompletableFuture<Appended> answer) {
        private long endOffset() {
            return result.lastOffset() + 1;
        }
    }

    void add(Placed append) {
        waiting.add(append);
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Removes every append that ends at or below {@code offset}. */
    void passed(long offset, Consumer<Placed> answering) {
        for (Placed first = waiting.peek(); first != null && first.endOffset() <= offset; first = waiting.peek()) {
            if (waiting.remove(first)) {
                answering.accept(first);
            }
        }
    }

    void fail(FeliceException why) {
        for (Placed append = waiting.poll(); append != null; append = waiting.poll()) {
            append.answer().completeExceptionally(why);
        }
    }

    void expire(long nanos, TopicPartition partition) {
        waiting.removeIf(append -> {
            boolean late = nanos - append.deadline() > 0;
            if (late) {
                append.answer().completeExceptionally(timedOut(partition));
            }
            return late;
        });
    }

    static FeliceException timedOut(TopicPartition partition) {
        return REQUEST_TIMED_OUT.because("The append to " + partition + " was not acknowledged in time");
    }
}
