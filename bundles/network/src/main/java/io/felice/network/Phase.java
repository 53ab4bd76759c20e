package io.felice.network;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;

/**
 * The phase of a connection. Only logging in is a phase to which a connection returns:
 *
 * <pre>
 * Fresh ────────→ Known → Draining → Lingering → Closed
 *                 ↑ ↓ └───→ Closing ────────────────┘
 *             LoggingIn
 *                 ↑ ↓
 *               Session
 * </pre>
 */
sealed interface Phase {
    Phase FRESH = new Fresh();
    Phase KNOWN = new Known();
    Phase DRAINING = new Draining();
    Phase CLOSING = new Closing();
    Phase CLOSED = new Closed();

    /** The connection has had no well-formed request yet. The first request must be small. */
    record Fresh() implements Phase {
        @Override
        public boolean beginsRequests() {
            return true;
        }

        @Override
        public int longestRequest(Limits limits) {
            return Math.min(Limits.FIRST_REQUEST_BYTES, limits.requestBytes());
        }

        @Override
        public Phase known() {
            return KNOWN;
        }

        @Override
        public Phase drain() {
            return DRAINING;
        }
    }

    /** The client has sent a well-formed request. */
    record Known() implements Phase {
        @Override
        public boolean beginsRequests() {
            return true;
        }

        @Override
        public Phase logIn(long now) {
            return new LoggingIn(now, false);
        }

        @Override
        public Phase drain() {
            return DRAINING;
        }
    }

    /**
     * The client has to log in. It may send only requests about that, and one at a time.
     *
     * @param since by {@link System#nanoTime}
     * @param isRaw true if the next frame is a message of the mechanism, without a Kafka header
     */
    record LoggingIn(long since, boolean isRaw) implements Phase {
        @Override
        public boolean beginsRequests() {
            return true;
        }

        @Override
        public int longestRequest(Limits limits) {
            return Math.min(limits.sasl().messageBytes(), limits.requestBytes());
        }

        @Override
        public int longestRequest(Api api) {
            return api.key() == Apis.SASL_AUTHENTICATE ? Limits.PLAIN_REQUEST_BYTES : Limits.BEFORE_LOGIN_BYTES;
        }

        @Override
        public int mostInFlight(int limit) {
            return 1;
        }

        @Override
        public boolean admits(Api api) {
            return api.beforeLogin();
        }

        @Override
        public boolean isLoggingInFor(long nanos, long now) {
            return now - since > nanos;
        }

        @Override
        public Phase logIn(long now) {
            return this;
        }

        @Override
        public Phase raw(boolean raw) {
            return new LoggingIn(since, raw);
        }

        @Override
        public Phase loggedIn() {
            return KNOWN;
        }

        @Override
        public Phase loggedInUntil(long end) {
            return new Session(end);
        }

        @Override
        public Phase drain() {
            return DRAINING;
        }
    }

    /**
     * The client has logged in, for some time (KIP-368).
     *
     * @param end by {@link System#nanoTime}
     */
    record Session(long end) implements Phase {
        @Override
        public boolean beginsRequests() {
            return true;
        }

        @Override
        public boolean admits(Api api) {
            return System.nanoTime() - end < 0 || api.beforeLogin();
        }

        @Override
        public boolean isSession() {
            return true;
        }

        @Override
        public Phase logIn(long now) {
            return new LoggingIn(now, false);
        }

        @Override
        public Phase drain() {
            return DRAINING;
        }
    }

    /** The begun requests are answered; then the connection lingers. */
    record Draining() implements Phase {}

    /** A request has no answer. The answers of earlier requests are sent; then the connection is closed. */
    record Closing() implements Phase {
        @Override
        public Phase closeWhenSent() {
            return this;
        }
    }

    /**
     * All answers are sent. Bytes from the client are discarded until the client closes the connection: closing a
     * socket with unread bytes resets the connection, and the client loses the answers that it has not read yet.
     *
     * @param since by {@link System#nanoTime}
     */
    record Lingering(long since) implements Phase {
        @Override
        public Phase closeWhenSent() {
            return this;
        }

        @Override
        public Phase linger(long now) {
            return this;
        }

        @Override
        public boolean isOver(long now, long nanos) {
            return now - since > nanos;
        }
    }

    /** Nothing is read or sent any more. */
    record Closed() implements Phase {
        @Override
        public Phase closeWhenSent() {
            return this;
        }

        @Override
        public Phase linger(long now) {
            return this;
        }
    }

    /** True while requests may begin. */
    default boolean beginsRequests() {
        return false;
    }

    /** The largest accepted request, in bytes. */
    default int longestRequest(Limits limits) {
        return limits.requestBytes();
    }

    /** The largest accepted request of this API, in bytes. */
    default int longestRequest(Api api) {
        return api.key() == Apis.PRODUCE ? Integer.MAX_VALUE : Limits.PLAIN_REQUEST_BYTES;
    }

    /** The most requests that may be in flight, of those that the limit of a connection allows. */
    default int mostInFlight(int limit) {
        return limit;
    }

    /** True if a request of this API may begin. */
    default boolean admits(Api api) {
        return true;
    }

    /** True if frames are messages of a mechanism, without a Kafka header. */
    default boolean isRaw() {
        return false;
    }

    /** True if the client has logged in for some time. */
    default boolean isSession() {
        return false;
    }

    /** True if the client has been logging in for longer than this. */
    default boolean isLoggingInFor(long nanos, long now) {
        return false;
    }

    /** True if the connection has lingered for longer than this. */
    default boolean isOver(long now, long nanos) {
        return false;
    }

    /** The next phase after a well-formed request has begun. */
    default Phase known() {
        return this;
    }

    /** The next phase when a request of a login begins, on a listener with SASL. */
    default Phase logIn(long now) {
        return this;
    }

    /** The next phase when the client has chosen a mechanism. */
    default Phase raw(boolean raw) {
        return this;
    }

    /** The next phase when the client has logged in. */
    default Phase loggedIn() {
        return this;
    }

    /** The next phase when the client has logged in until then, by {@link System#nanoTime}. */
    default Phase loggedInUntil(long end) {
        return this;
    }

    /** The next phase when no more requests may begin. */
    default Phase drain() {
        return this;
    }

    /** The next phase after a request that can only be answered by closing the connection. */
    default Phase closeWhenSent() {
        return CLOSING;
    }

    /** The next phase after the last answer of a draining connection. */
    default Phase linger(long now) {
        return new Lingering(now);
    }
}
