package io.felice.api.cluster;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Creates topics: those of CreateTopics requests, those that a Metadata request creates automatically, and the offsets
 * topic. Any thread may call the methods; they do not block.
 */
public final class TopicCreation {
    /** The value for the broker's default number of partitions or default replication factor. */
    public static final int DEFAULT = -1;

    private final ClusterMetadata metadata;
    private final Configs configs;

    public TopicCreation(ClusterMetadata metadata, Configs configs) {
        this.metadata = metadata;
        this.configs = configs;
    }

    /** A topic with the broker's defaults and without its own configs. */
    public NewTopic withDefaults(String name) {
        return topic(name, DEFAULT, DEFAULT, Map.of(), Map.of());
    }

    /**
     * A topic to create, with the defaults filled in.
     *
     * @param partitions {@link #DEFAULT} for {@code num.partitions}
     * @param replicationFactor {@link #DEFAULT} for {@code default.replication.factor}
     * @param assignments see {@link NewTopic}
     */
    public NewTopic topic(
            String name,
            int partitions,
            int replicationFactor,
            Map<Integer, List<Integer>> assignments,
            Map<String, String> ownConfigs) {
        BrokerConfig broker = configs.broker();
        return new NewTopic(
                name,
                partitions == DEFAULT ? broker.getInt(BrokerConfig.NUM_PARTITIONS) : partitions,
                replicationFactor == DEFAULT
                        ? broker.getInt(BrokerConfig.DEFAULT_REPLICATION_FACTOR)
                        : replicationFactor,
                assignments,
                ownConfigs);
    }

    /**
     * Checks the configs of each topic against the engine that will keep it, and asks the controller to create the
     * topics that pass. Completes when this broker sees the new topics.
     *
     * @return an outcome per topic; INVALID_CONFIG for a topic whose engine cannot fulfil its configs. The stage fails
     *     as {@link Admin#createTopics} does
     */
    public CompletionStage<Decided<String, CreatedTopic>> create(
            Admin admin, List<NewTopic> topics, boolean validateOnly) {
        Map<String, Outcome<CreatedTopic>> refused = new HashMap<>();
        List<NewTopic> accepted = new ArrayList<>();
        for (NewTopic topic : topics) {
            try {
                checkConfigs(topic);
                accepted.add(topic);
            } catch (FeliceException unfit) {
                refused.put(topic.name(), Outcome.failed(unfit));
            }
        }
        if (accepted.isEmpty()) {
            return CompletableFuture.completedFuture(
                    new Decided<>(metadata.view().version(), refused));
        }
        CompletionStage<Decided<String, CreatedTopic>> decision = admin.createTopics(accepted, validateOnly);
        return (validateOnly ? decision : metadata.visible(decision)).thenApply(decided -> with(refused, decided));
    }

    /** Does not check a topic that exists, because the controller refuses it with TOPIC_ALREADY_EXISTS. */
    private void checkConfigs(NewTopic topic) {
        if (metadata.view().topic(topic.name()).isEmpty()) {
            configs.check(ConfigResource.topic(topic.name()), topic.configs());
        }
    }

    private static Decided<String, CreatedTopic> with(
            Map<String, Outcome<CreatedTopic>> refused, Decided<String, CreatedTopic> decided) {
        Map<String, Outcome<CreatedTopic>> all = new HashMap<>(decided.outcomes());
        all.putAll(refused);
        return new Decided<>(decided.version(), all);
    }
}
