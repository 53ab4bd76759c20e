package io.felice.network;

/**
 * The phase of a connection. A connection never returns to an earlier phase:
 *
 * <pre>
 * Fresh → Known → Draining → Lingering → Closed
 *           └───→ Closing ────────────────┘
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

    /** True if the connection has lingered for longer than this. */
    default boolean isOver(long now, long nanos) {
        return false;
    }

    /** The next phase after a well-formed request has begun. */
    default Phase known() {
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
