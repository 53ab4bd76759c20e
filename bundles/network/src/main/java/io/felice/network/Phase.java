package io.felice.network;

/**
 * How far a connection has come. It goes from fresh to closed and never back:
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

    /** No good request has come yet: the first one has to be small. */
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

    /** The client has sent a good request. */
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

    /** Requests that were begun are answered; then the connection lingers. */
    record Draining() implements Phase {}

    /** The answers before the one that cannot be given are sent; then the connection is closed. */
    record Closing() implements Phase {
        @Override
        public Phase closeWhenSent() {
            return this;
        }
    }

    /**
     * All answers are sent. What the client still sends is thrown away until the client closes: a socket that is closed
     * with bytes unread resets the connection, and the client loses the answers it has not read yet.
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

    /** True while requests that come are handled. */
    default boolean beginsRequests() {
        return false;
    }

    /** The largest request that is received, in bytes. */
    default int longestRequest(Limits limits) {
        return limits.requestBytes();
    }

    /** True if the connection has lingered for longer than this. */
    default boolean isOver(long now, long nanos) {
        return false;
    }

    /** A good request was begun. */
    default Phase known() {
        return this;
    }

    /** No more requests shall begin. */
    default Phase drain() {
        return this;
    }

    /** A request can only be answered by closing the connection. */
    default Phase closeWhenSent() {
        return CLOSING;
    }

    /** The last answer of a draining connection was sent. */
    default Phase linger(long now) {
        return new Lingering(now);
    }
}
