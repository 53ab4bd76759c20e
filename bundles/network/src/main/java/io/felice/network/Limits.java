package io.felice.network;

import java.time.Duration;

/**
 * What one client, and all of them together, may take; can change while connections are open.
 *
 * @param requestBytes the largest request
 * @param requestMemory for all requests that are being received or handled
 * @param inFlightPerConnection requests begun and not answered
 * @param responseBytes answers of a connection that wait for their client to read
 * @param idle how long a connection may do nothing
 * @param stalled how long a client may leave an answer unread
 * @param hold how long a request waits for a handler that is away
 * @param heldRequests connections that may wait for a handler
 * @param heldBytes what they may have sent
 */
record Limits(
        int requestBytes,
        long requestMemory,
        int inFlightPerConnection,
        int inFlight,
        long responseBytes,
        int connections,
        int connectionsPerAddress,
        Duration idle,
        Duration stalled,
        Duration hold,
        int heldRequests,
        long heldBytes) {
    /** Before a connection has sent one good request it is a stranger; old clients begin with a whole Produce. */
    static final int FIRST_REQUEST_BYTES = 4 * 1024 * 1024;

    /** Nothing but records needs more. */
    static final int PLAIN_REQUEST_BYTES = 32 * 1024 * 1024;
}
