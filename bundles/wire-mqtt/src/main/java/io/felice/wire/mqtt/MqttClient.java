package io.felice.wire.mqtt;

import io.felice.api.security.Requester;

/**
 * A client as its CONNECT and its login describe it.
 *
 * @param id the client identifier, which the broker has made if the client has none
 * @param validUntilMs when the client's credential expires, in milliseconds since the epoch
 * @param keepAliveNanos how long the client may be silent; 0 if there is no limit
 * @param maximumPacketSize the longest packet that the client accepts, in bytes
 * @param receiveMaximum the most messages of QoS 1 to the client that are not acknowledged
 */
record MqttClient(
        String id,
        Requester requester,
        boolean isV5,
        long validUntilMs,
        long keepAliveNanos,
        long maximumPacketSize,
        int receiveMaximum) {}
