package io.felice.network;

import io.felice.protocol.Apis;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The requests that wait for a missing handler, whose bundle is being replaced or has not started yet. A connection
 * holds at most one request, and begins and reads no later ones. {@link Limits} bound the time of a held request, the
 * number of held requests and their bytes. When the handler is there, the request is dispatched like a new one. If the
 * time is over before, the request is answered with the API's retriable error.
 */
final class HeldRequests {
    private final ApiTable apis;
    private final Supplier<Limits> limits;
    private final long startedAt = System.nanoTime();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile boolean advertises;

    HeldRequests(ApiTable apis, Supplier<Limits> limits) {
        this.apis = apis;
        this.limits = limits;
    }

    /** The number of held requests. Any thread. */
    long requests() {
        return requests.get();
    }

    /** The bytes that were received from connections with a held request. Any thread. */
    long bytes() {
        return bytes.get();
    }

    Hold of(Connection connection) {
        return new Hold(connection);
    }

    private boolean admit(int moreBytes) {
        int allRequests = requests.incrementAndGet();
        long allBytes = bytes.addAndGet(moreBytes);
        if (allRequests > limits.get().heldRequests() || allBytes > limits.get().heldBytes()) {
            release(moreBytes);
            return false;
        }
        return true;
    }

    private void release(int fewerBytes) {
        requests.decrementAndGet();
        bytes.addAndGet(-fewerBytes);
    }

    /** False during the start: ApiVersions would have only some APIs, and clients would not use the others. */
    private boolean mayAdvertise() {
        if (!advertises) {
            advertises = apis.isComplete()
                    || System.nanoTime() - startedAt > limits.get().hold().toNanos();
        }
        return advertises;
    }

    /**
     * The held request of one connection, if there is one: its API and the time since when it waits. I/O thread only.
     */
    final class Hold {
        private final Connection connection;
        private ApiTable.Slot awaited;
        private long since;
        private int heldBytes;

        private Hold(Connection connection) {
            this.connection = connection;
        }

        boolean isActive() {
            return awaited != null;
        }

        /** True if a request of this API cannot begin yet. */
        boolean isNeeded(ApiTable.Slot slot) {
            return slot.current() == null || slot.api().key() == Apis.API_VERSIONS && !mayAdvertise();
        }

        /**
         * Holds a request until its handler comes.
         *
         * @param receivedBytes the received bytes of the connection that are not handled
         * @return false if the request has waited for the maximum time, or too many requests wait: it must be answered
         *     now
         */
        boolean holds(ApiTable.Slot slot, int receivedBytes) {
            long now = System.nanoTime();
            if (awaited == null) {
                if (!admit(receivedBytes)) {
                    return false;
                }
                heldBytes = receivedBytes;
                since = now;
            } else {
                count(-1);
            }
            awaited = slot;
            count(1);
            connection.processor().waiting(connection);
            return !isOver(now);
        }

        /** True if the request has waited for the maximum time. */
        boolean isOver(long now) {
            return now - since >= limits.get().hold().toNanos();
        }

        void end() {
            if (awaited != null) {
                count(-1);
                connection.processor().notWaiting(connection);
                release(heldBytes);
                awaited = null;
            }
        }

        private void count(int change) {
            connection.processor().counters(awaited.api().key()).held.add(change);
        }
    }
}
