package io.felice.wire.mqtt;

import java.time.Duration;

/**
 * The settings of the wire.
 *
 * @param longestPacket bytes
 * @param receiveMaximum the most messages of QoS 1 in each direction that are not acknowledged
 * @param longestSession how long a session outlives its connection at most
 * @param retainedBytes the most bytes of all retained messages
 */
record MqttSettings(
        TopicMap topics, int longestPacket, int receiveMaximum, Duration longestSession, long retainedBytes) {}
