package io.felice.broker;

import io.felice.api.FeliceException;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Up to where a partition's records are committed, the appends that are answered when it passes them, and who wants to
 * know that it moved. It never goes back. Any thread.
 */
final class HighWatermark {
    /** Wants to know that the high watermark moved, or that the partition ended. Called on any thread. */
    interface Watcher {
        void moved();
    }

    private final AtomicLong offset;
    /** In the order of their offsets. */
    private final Queue<PendingAppend> awaiting = new ConcurrentLinkedQueue<>();

    private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();

    HighWatermark(long offset) {
        this.offset = new AtomicLong(offset);
    }

    long offset() {
        return offset.get();
    }

    /** Everything below {@code end} is committed: what waited for that is answered. */
    void advanceTo(long end) {
        long before = offset.getAndAccumulate(end, Math::max);
        long now = Math.max(before, end);
        for (PendingAppend first = awaiting.peek();
                first != null && first.endOffset() <= now;
                first = awaiting.peek()) {
            if (awaiting.remove(first)) {
                first.answer();
            }
        }
        if (end > before) {
            wake();
        }
    }

    void await(PendingAppend append) {
        awaiting.add(append);
    }

    boolean isAwaited() {
        return !awaiting.isEmpty();
    }

    void failAwaiting(FeliceException why) {
        for (PendingAppend append = awaiting.poll(); append != null; append = awaiting.poll()) {
            append.completeExceptionally(why);
        }
    }

    /** Gives up what has waited too long; {@code nanos} is the time now. */
    void expireAwaiting(long nanos) {
        awaiting.removeIf(append -> append.expire(nanos));
    }

    void watch(Watcher watcher) {
        watchers.add(watcher);
    }

    void unwatch(Watcher watcher) {
        watchers.remove(watcher);
    }

    void wake() {
        if (!watchers.isEmpty()) {
            watchers.forEach(Watcher::moved);
        }
    }
}
