package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition;
import io.felice.api.security.Requester;
import io.felice.records.BatchBuilder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Appends the message that a client has left for the case that its connection breaks. Any thread. */
final class WillPublisher {
    private static final Logger log = LoggerFactory.getLogger(WillPublisher.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private WillPublisher() {}

    static void publish(Publication will, String kafkaTopic, Requester requester, MqttServices services) {
        services.rights()
                .mayWrite(requester, kafkaTopic)
                .thenCompose(allowed -> {
                    if (!allowed) {
                        throw ErrorCode.TOPIC_AUTHORIZATION_FAILED.because(
                                requester.principal() + " may not write to " + kafkaTopic);
                    }
                    return services.topics().ready(kafkaTopic, requester);
                })
                .thenCompose(partitions -> append(will, kafkaTopic, partitions, services))
                .thenCompose(appended ->
                        will.isRetained() ? services.retained().set(will) : CompletableFuture.completedFuture(null))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        log.warn(
                                "The will of an MQTT client for {} is not published: {}",
                                will.topic(),
                                FeliceException.unwrap(failure).getMessage());
                    }
                });
    }

    private static CompletionStage<Partition.Appended> append(
            Publication will, String kafkaTopic, int partitions, MqttServices services) {
        byte[] key = will.topic().getBytes(StandardCharsets.UTF_8);
        ByteBuffer batch = new BatchBuilder()
                .add(services.clock().millis(), ByteBuffer.wrap(key), ByteBuffer.wrap(will.payload()), will.headers())
                .build()
                .bytes();
        return services.partitions()
                .leader(new TopicPartition(kafkaTopic, KeyPartitioner.partition(key, partitions)))
                .append(batch, Partition.Acks.ALL, Partition.Origin.CLIENT, TIMEOUT, Turn.IMMEDIATE);
    }
}
