package io.felice.network;

import io.felice.protocol.Apis;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The requests that wait for a handler that is away, because its bundle is being replaced or has not started yet. A
 * connection holds at most one request: it begins and reads nothing behind it. {@link Limits} bound how long a request
 * is held, how many are, and how many bytes they have. When its handler is back, a request is dispatched as if it had
 * just come; when its time is over, it is answered with the API's retriable error.
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

    /** How many requests are held. Any thread. */
    long requests() {
        return requests.get();
    }

    /** How many bytes the connections that hold a request have received. Any thread. */
    long bytes() {
        return bytes.get();
    }

    /** The hold of one connection. */
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

    /** False at the very start: ApiVersions would name only some APIs, and the client would do without the others. */
    private boolean mayAdvertise() {
        if (!advertises) {
            advertises = apis.isComplete()
                    || System.nanoTime() - startedAt > limits.get().hold().toNanos();
        }
        return advertises;
    }

    /** Whether a connection holds a request, for which API, and since when. I/O thread only. */
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
         * @param receivedBytes what the connection has received and not handled
         * @return false if the request has waited long enough, or too many others wait: it is to be answered now
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

        /** True if the request has waited as long as it may. */
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
