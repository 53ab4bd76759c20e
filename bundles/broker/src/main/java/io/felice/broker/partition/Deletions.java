package io.felice.broker.partition;

import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import io.felice.api.FeliceException;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * Deletions of records that wait until all in-sync replicas have made them, so that no later leader has the records again.
 * Any thread.
 */
final class Deletions {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();

    /** @param deadline in nanoseconds of the monotonic clock */
    private record Waiting(long before, long deadline, CompletableFuture<Long> answer) {}

    /** @return completes with the smallest log start offset of the in-sync replicas */
    CompletionStage<Long> await(long before, long nanos) {
        Waiting one = new Waiting(before, nanos + PATIENCE_NANOS, new CompletableFuture<>());
        waiting.add(one);
        return one.answer();
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** The logs of all in-sync replicas start at {@code smallestStart} or above. */
    void startsAt(long smallestStart) {
        waiting.removeIf(one -> {
            boolean isDone = one.before() <= smallestStart;
            if (isDone) {
                one.answer().complete(smallestStart);
            }
            return isDone;
        });
    }

    void expire(long nanos) {
        waiting.removeIf(one -> {
            boolean isLate = nanos - one.deadline() > 0;
            if (isLate) {
                one.answer()
                        .completeExceptionally(REQUEST_TIMED_OUT.because(
                                "The records are deleted on the leader, but not on all in-sync replicas yet"));
            }
            return isLate;
        });
    }

    void fail(FeliceException why) {
        for (Waiting one = waiting.poll(); one != null; one = waiting.poll()) {
            one.answer().completeExceptionally(why);
        }
    }
}
