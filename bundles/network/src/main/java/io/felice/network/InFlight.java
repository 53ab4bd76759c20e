package io.felice.network;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The requests of a connection that have begun and are not answered yet, in order of arrival. I/O thread only. */
final class InFlight {
    /** The request bytes that a connection may have in flight in addition to its first request. */
    private static final int MOST_BYTES = 16 * 1024 * 1024;

    /** How long the network waits for the stage of a request whose handler was removed. */
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

    boolean hasRoom(int mostRequests) {
        return queue.size() < mostRequests && (bytes < MOST_BYTES || queue.isEmpty());
    }

    void add(PendingResponse pending) {
        queue.add(pending);
        bytes += pending.requestBytes;
        processor.began(pending);
    }

    /** Removes the first request if it is answered. Null if it is not answered, or if there is no request. */
    PendingResponse pollAnswered() {
        PendingResponse first = queue.peek();
        if (first == null || !first.isAnswered()) {
            return null;
        }
        bytes -= first.requestBytes;
        return queue.poll();
    }

    /**
     * Gives up the requests of a removed handler at once. If the API outlives its handler, the stage of the request
     * gets a short time to complete.
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

    /** Gives up the requests of removed handlers whose stage has not completed in time. */
    void giveUpOrphans(long now, Consumer<PendingResponse> giveUp) {
        if (hasOrphans) {
            queue.stream()
                    .filter(pending -> pending.isOrphanedFor(ORPHAN_NANOS, now))
                    .forEach(giveUp);
            hasOrphans = queue.stream().anyMatch(pending -> pending.isOrphanedFor(0, now));
        }
    }

    /** Called when the connection is closed. The requests get no answer. */
    void close(Consumer<PendingResponse> unanswered) {
        queue.forEach(unanswered);
        queue.clear();
    }
}
