package io.felice.network;

import java.time.Duration;

/**
 * The limits of one connection and of all connections. They can change while connections are open.
 *
 * @param requestBytes the size of the largest request
 * @param requestMemory bytes of all requests that are being received or handled
 * @param inFlightPerConnection begun requests of a connection that are not answered
 * @param inFlight begun requests of all connections that are not answered
 * @param responseBytes bytes of a connection's answers that its client has not read yet
 * @param connections how many connections may be open, and how many may be made in a second
 * @param idle how long a connection may have no traffic
 * @param stalled how long a client may leave an answer unread
 * @param hold how long a request waits for a missing handler
 * @param heldRequests connections that may hold a request for a missing handler
 * @param heldBytes bytes that the node may have received from these connections
 * @param sasl what clients of listeners with SASL may do before they have logged in
 */
record Limits(
        int requestBytes,
        long requestMemory,
        int inFlightPerConnection,
        int inFlight,
        long responseBytes,
        ConnectionLimits connections,
        Duration idle,
        Duration stalled,
        Duration hold,
        int heldRequests,
        long heldBytes,
        SaslSettings sasl) {
    /** The largest first request of a connection: old clients begin with a Produce request. */
    static final int FIRST_REQUEST_BYTES = 4 * 1024 * 1024;

    /** The largest request of every API except Produce. */
    static final int PLAIN_REQUEST_BYTES = 32 * 1024 * 1024;

    /** The largest request before the client has logged in, except SaslAuthenticate. */
    static final int BEFORE_LOGIN_BYTES = 16 * 1024;

    Limits with(ConnectionLimits other) {
        return new Limits(
                requestBytes,
                requestMemory,
                inFlightPerConnection,
                inFlight,
                responseBytes,
                other,
                idle,
                stalled,
                hold,
                heldRequests,
                heldBytes,
                sasl);
    }
}
