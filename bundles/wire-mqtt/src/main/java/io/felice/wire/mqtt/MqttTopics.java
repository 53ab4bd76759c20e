package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.TopicCreation;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.security.Requester;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The Kafka topics with messages. A topic that is missing is created, as for Kafka's producers. Any thread. */
final class MqttTopics {
    private final ClusterMetadata metadata;
    private final Admin admin;
    private final Configs configs;
    private final TopicCreation creation;
    private final MqttRights rights;
    /** The creations that are going on. */
    private final Map<String, CompletableFuture<Integer>> creations = new ConcurrentHashMap<>();

    MqttTopics(ClusterMetadata metadata, Admin admin, Configs configs, MqttRights rights) {
        this.metadata = metadata;
        this.admin = admin;
        this.configs = configs;
        this.creation = new TopicCreation(metadata, configs);
        this.rights = rights;
    }

    /** The number of partitions; 0 if there is no such topic. */
    int partitions(String kafkaTopic) {
        return metadata.view()
                .topic(kafkaTopic)
                .map(topic -> topic.partitions().size())
                .orElse(0);
    }

    /**
     * The number of partitions of a topic, which is created if it is missing and if the broker and the rights of the
     * client allow it. Fails with UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED, or as {@link TopicCreation}
     * does.
     */
    CompletionStage<Integer> ready(String kafkaTopic, Requester requester) {
        int partitions = partitions(kafkaTopic);
        if (partitions > 0) {
            return CompletableFuture.completedFuture(partitions);
        }
        if (!configs.broker().getBoolean(BrokerConfig.AUTO_CREATE_TOPICS)) {
            return CompletableFuture.failedFuture(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because(
                    "There is no topic " + kafkaTopic + ", and auto.create.topics.enable is false"));
        }
        return rights.mayCreate(requester, kafkaTopic).thenCompose(allowed -> {
            if (!allowed) {
                throw ErrorCode.TOPIC_AUTHORIZATION_FAILED.because(
                        "There is no topic " + kafkaTopic + ", and " + requester.principal() + " may not create it");
            }
            return created(admin.askedBy(requester), creation.withDefaults(kafkaTopic));
        });
    }

    /** A topic of the wire itself: compacted, with one partition. */
    CompletionStage<Integer> ownReady(String kafkaTopic) {
        return partitions(kafkaTopic) > 0
                ? CompletableFuture.completedFuture(1)
                : created(
                        admin,
                        creation.topic(
                                kafkaTopic, 1, TopicCreation.DEFAULT, Map.of(), Map.of("cleanup.policy", "compact")));
    }

    private CompletionStage<Integer> created(Admin asked, NewTopic topic) {
        CompletableFuture<Integer> mine = new CompletableFuture<>();
        CompletableFuture<Integer> other = creations.putIfAbsent(topic.name(), mine);
        if (other != null) {
            return other;
        }
        creation.create(asked, java.util.List.of(topic), false)
                .thenCompose(decided -> visible(topic.name(), decided))
                .whenComplete((partitions, failure) -> {
                    creations.remove(topic.name());
                    if (failure == null) {
                        mine.complete(partitions);
                    } else {
                        mine.completeExceptionally(failure);
                    }
                });
        return mine;
    }

    private CompletionStage<Integer> visible(String kafkaTopic, Decided<String, CreatedTopic> decided) {
        Outcome<CreatedTopic> outcome = decided.outcomes().get(kafkaTopic);
        if (outcome.isFailed() && outcome.error() != ErrorCode.TOPIC_ALREADY_EXISTS) {
            throw outcome.error().because(outcome.message());
        }
        return metadata.reached(decided.version()).thenApply(view -> partitions(kafkaTopic));
    }
}
