package io.felice.network;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The requests of a connection that were begun, in the order they came, until they are answered. I/O thread only. */
final class InFlight {
    /** Request bytes a connection may have under way beside the first request. */
    private static final int MOST_BYTES = 16 * 1024 * 1024;

    /** How long the stage of a request whose handler went away may take. */
    private static final long ORPHAN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final RoundProcessor processor;
    private final ArrayDeque<PendingResponse> queue = new ArrayDeque<>(4);
    private long bytes;
    private boolean hasOrphans;

    InFlight(RoundProcessor processor) {
        this.processor = processor;
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** True if one more request may begin. */
    boolean hasRoom(int mostRequests) {
        return queue.size() < mostRequests && (bytes < MOST_BYTES || queue.isEmpty());
    }

    void add(PendingResponse pending) {
        queue.add(pending);
        bytes += pending.requestBytes;
        processor.began(pending);
    }

    /** Takes the first request if it is answered; null if it is not, or if there is none. */
    PendingResponse pollAnswered() {
        PendingResponse first = queue.peek();
        if (first == null || !first.isAnswered()) {
            return null;
        }
        bytes -= first.requestBytes;
        return queue.poll();
    }

    /**
     * The handler that began these requests went away. They are given up at once, except those whose API outlives its
     * handler: their stage has a short time to complete.
     */
    void abandon(long serviceId, Consumer<PendingResponse> giveUp) {
        long now = System.nanoTime();
        for (PendingResponse pending : queue) {
            if (pending.servedBy == serviceId && pending.isOpen()) {
                if (pending.api.outlivesHandler()) {
                    pending.orphan(now);
                    hasOrphans = true;
                } else {
                    giveUp.accept(pending);
                }
            }
        }
    }

    /** Gives up the requests whose handler went away, and whose stage has had its time. */
    void giveUpOrphans(long now, Consumer<PendingResponse> giveUp) {
        if (hasOrphans) {
            queue.stream()
                    .filter(pending -> pending.isOrphanedFor(ORPHAN_NANOS, now))
                    .forEach(giveUp);
            hasOrphans = queue.stream().anyMatch(pending -> pending.isOrphanedFor(0, now));
        }
    }

    /** The connection is closed: these requests get no answer. */
    void close(Consumer<PendingResponse> unanswered) {
        queue.forEach(unanswered);
        queue.clear();
    }
}
