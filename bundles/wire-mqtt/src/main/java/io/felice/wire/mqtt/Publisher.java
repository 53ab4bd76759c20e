package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Requester;
import io.felice.records.BatchBuilder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes records of messages. Any thread. */
final class Publisher {
    private static final Logger log = LoggerFactory.getLogger(Publisher.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final Partitions partitions;
    private final MqttTopics topics;
    private final MqttRights rights;
    private final RetainedMessages retained;
    private final TopicMap map;
    private final InstantSource clock;

    Publisher(
            Partitions partitions,
            MqttTopics topics,
            MqttRights rights,
            RetainedMessages retained,
            TopicMap map,
            InstantSource clock) {
        this.partitions = partitions;
        this.topics = topics;
        this.rights = rights;
        this.retained = retained;
        this.map = map;
        this.clock = clock;
    }

    /** A publisher with other rules. */
    Publisher with(TopicMap other) {
        return new Publisher(partitions, topics, rights, retained, other, clock);
    }

    /** The Kafka topic of a message; fails with INVALID_TOPIC_EXCEPTION, or TOPIC_AUTHORIZATION_FAILED. */
    CompletionStage<String> allowed(Publication publication, Requester requester) {
        Optional<String> kafkaTopic = map.kafkaTopic(publication.topic());
        if (kafkaTopic.isEmpty()) {
            return CompletableFuture.failedFuture(
                    ErrorCode.INVALID_TOPIC_EXCEPTION.because("No rule matches " + publication.topic()));
        }
        return rights.mayWrite(requester, kafkaTopic.get()).thenApply(may -> {
            if (!may) {
                throw ErrorCode.TOPIC_AUTHORIZATION_FAILED.because(
                        requester.principal() + " may not write to " + kafkaTopic.get());
            }
            return kafkaTopic.get();
        });
    }

    /**
     * Appends a message to a topic that is there. Completes when the record is acknowledged: with QoS 1 by all in-sync
     * replicas, and the retained message too. Fails as {@link Partition#append} does.
     */
    CompletionStage<Void> append(Publication publication, String kafkaTopic, int partitionCount, Turn turn) {
        CompletionStage<Void> appended;
        try {
            appended = record(publication, kafkaTopic, partitionCount, turn);
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        return publication.isRetained()
                ? appended.thenCombine(retained.set(publication), (one, other) -> null)
                : appended;
    }

    private CompletionStage<Void> record(Publication publication, String kafkaTopic, int partitionCount, Turn turn) {
        byte[] key = publication.topic().getBytes(StandardCharsets.UTF_8);
        ByteBuffer batch = new BatchBuilder()
                .add(
                        clock.millis(),
                        ByteBuffer.wrap(key),
                        ByteBuffer.wrap(publication.payload()),
                        publication.headers())
                .build()
                .bytes();
        Partition.Acks acks = publication.qos() == 0 ? Partition.Acks.LEADER : Partition.Acks.ALL;
        return partitions
                .leader(new TopicPartition(kafkaTopic, KeyPartitioner.partition(key, partitionCount)))
                .append(batch, acks, Partition.Origin.CLIENT, TIMEOUT, turn)
                .thenAccept(offsets -> {});
    }

    /** Appends the message that a client has left for the case that its connection breaks. */
    void publishWill(Publication will, Requester requester) {
        allowed(will, requester)
                .thenCompose(kafkaTopic -> topics.ready(kafkaTopic, requester)
                        .thenCompose(count -> append(will, kafkaTopic, count, Turn.IMMEDIATE)))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        log.warn(
                                "The will of an MQTT client for {} is not published: {}",
                                will.topic(),
                                FeliceException.unwrap(failure).getMessage());
                    }
                });
    }
}
