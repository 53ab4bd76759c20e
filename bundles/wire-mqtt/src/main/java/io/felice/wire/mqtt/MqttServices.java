package io.felice.wire.mqtt;

import io.felice.api.partition.Partitions;
import io.felice.api.security.Authentication;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * What the connections share.
 *
 * @param loaded completes when the retained messages and the sessions are read
 * @param workers threads that read records, which may block
 * @param clock of retained messages and sessions
 */
record MqttServices(
        Partitions partitions,
        Authentication authentication,
        MqttRights rights,
        MqttTopics topics,
        Publisher publisher,
        RetainedMessages retained,
        MqttSessions sessions,
        MqttSettings settings,
        MqttCounters counters,
        CompletableFuture<Void> loaded,
        Executor workers,
        Wills wills,
        InstantSource clock) {

    /** The same, for connections with other settings. */
    MqttServices with(MqttSettings other) {
        return new MqttServices(
                partitions,
                authentication,
                rights,
                topics,
                publisher.with(other.topics()),
                retained,
                sessions,
                other,
                counters,
                loaded,
                workers,
                wills,
                clock);
    }
}
