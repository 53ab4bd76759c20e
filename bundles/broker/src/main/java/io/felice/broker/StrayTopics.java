package io.felice.broker;

import static io.felice.api.ErrorCode.COORDINATOR_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.INVALID_PARTITIONS;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.TOPIC_ALREADY_EXISTS;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_ID;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.RestoredTopic;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Strays;
import io.felice.api.storage.LogId;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.PartitionFiles;
import io.felice.broker.partition.StrayLogReading;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operator's commands for stray logs: list, delete, and take in. Taking in creates the topic again. The order of
 * the steps makes sure that after a crash there are either the stray logs or the topic:
 *
 * <ol>
 *   <li>{@link StrayLogReading} reads every log and writes the broker's files for the log, so that only readable logs
 *       are taken in.
 *   <li>The controller creates the topic with the old id. Each partition begins with a leader epoch above all epochs in
 *       its log.
 *   <li>{@link NodeState} notes that this node knows the logs.
 * </ol>
 */
final class StrayTopics implements Strays {
    private static final Logger log = LoggerFactory.getLogger(StrayTopics.class);
    private static final String UNLIMITED = "-1";

    private final StrayLogs logs;
    private final Supplier<NodeState> state;
    private final Supplier<Admin> admin;
    private final ClusterMetadata metadata;
    private final Supplier<BrokerConfig> broker;
    /** The last command; commands run one after the other. */
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    /** @param state gives null until the node's data directory is open */
    StrayTopics(
            StrayLogs logs,
            Supplier<NodeState> state,
            Supplier<Admin> admin,
            ClusterMetadata metadata,
            Supplier<BrokerConfig> broker) {
        this.logs = logs;
        this.state = state;
        this.admin = admin;
        this.metadata = metadata;
        this.broker = broker;
    }

    private record Found(UUID topicId, String topic, MountedEngine engine, Map<Integer, LogId> byPartition) {
        int largestPartition() {
            return byPartition.keySet().stream()
                    .mapToInt(Integer::intValue)
                    .max()
                    .orElse(-1);
        }

        StrayTopic shown() {
            List<Integer> partitions = byPartition.keySet().stream().sorted().toList();
            String logDir = engine.logDir();
            return new StrayTopic(topicId, topic, engine.name(), partitions, logDir);
        }
    }

    @Override
    public CompletionStage<List<StrayTopic>> list() {
        return find().thenApply(found -> found.stream().map(Found::shown).toList());
    }

    private CompletableFuture<List<Found>> find() {
        NodeState open = state.get();
        if (open == null) {
            return CompletableFuture.failedFuture(COORDINATOR_NOT_AVAILABLE.because("The broker is still starting"));
        }
        return logs.unknown(open)
                .thenApply(unknown -> unknown.stream()
                        .collect(Collectors.groupingBy(one -> List.of(one.id().topicId(), one.engine())))
                        .values()
                        .stream()
                        .map(StrayTopics::foundOf)
                        .sorted(Comparator.comparing(Found::topic).thenComparing(Found::topicId))
                        .toList());
    }

    private static Found foundOf(List<StrayLogs.Unknown> ofOne) {
        LogId any = ofOne.get(0).id();
        Map<Integer, LogId> byPartition =
                ofOne.stream().collect(Collectors.toMap(one -> one.id().partition(), StrayLogs.Unknown::id));
        return new Found(any.topicId(), any.topic(), ofOne.get(0).engine(), byPartition);
    }

    private CompletableFuture<Found> find(UUID topicId) {
        return find().thenApply(all -> {
            List<Found> ofId =
                    all.stream().filter(one -> one.topicId().equals(topicId)).toList();
            if (ofId.size() != 1) {
                throw UNKNOWN_TOPIC_ID.because(
                        ofId.isEmpty()
                                ? "There are no stray logs of a topic with the id " + topicId
                                : "The stray logs of topic " + topicId + " are in more than one engine");
            }
            return ofId.get(0);
        });
    }

    private synchronized <T> CompletableFuture<T> afterTheLast(Supplier<CompletableFuture<T>> work) {
        CompletableFuture<T> next = last.handle((done, failure) -> null).thenCompose(unused -> work.get());
        last = next;
        return next;
    }

    private static <T> CompletableFuture<T> on(Executor engine, Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, engine);
    }

    // ---- deleting

    @Override
    public CompletionStage<Void> delete(UUID topicId) {
        return afterTheLast(() -> find(topicId)
                .thenCompose(found -> on(found.engine(), () -> {
                    found.byPartition().values().forEach(id -> StrayLogs.deleteNow(found.engine(), id, state.get()));
                    return null;
                })));
    }

    // ---- taking in

    @Override
    public CompletionStage<Integer> takeIn(UUID topicId, OptionalInt partitions) {
        return afterTheLast(() -> find(topicId).thenCompose(found -> takeIn(found, partitions)));
    }

    private CompletableFuture<Integer> takeIn(Found found, OptionalInt asked) {
        int partitions = asked.orElseGet(() -> usualPartitions(found));
        check(found, partitions);
        return on(found.engine(), () -> read(found))
                .thenCompose(epochs -> create(found, partitions, epochs))
                .thenCompose(version -> settleIn(found, version))
                .handle((view, failure) -> failure)
                .thenCompose(failure -> failure == null
                        ? CompletableFuture.completedFuture(partitions)
                        : setAsideAgain(found, failure));
    }

    /** The offsets topic must have as many partitions as before, because a group's partition depends on that number. */
    private int usualPartitions(Found found) {
        int least = found.largestPartition() + 1;
        return InternalTopics.CONSUMER_OFFSETS.equals(found.topic())
                ? Math.max(least, broker.get().getInt(BrokerConfig.OFFSETS_TOPIC_PARTITIONS))
                : least;
    }

    private void check(Found found, int partitions) {
        if (partitions <= found.largestPartition()) {
            throw INVALID_PARTITIONS.because("There is a log of partition " + found.largestPartition() + ", so "
                    + found.topic() + " needs at least " + (found.largestPartition() + 1) + " partitions");
        }
        if (metadata.view().topic(found.topic()).isPresent()) {
            throw TOPIC_ALREADY_EXISTS.because("There is a topic named " + found.topic()
                    + ", with another id. Delete that topic first, or the stray logs");
        }
    }

    /** The first leader epoch of each partition. On the engine's threads. */
    private Map<Integer, Integer> read(Found found) {
        Map<Integer, Integer> epochs = new HashMap<>();
        found.byPartition().forEach((partition, id) -> epochs.put(partition, read(found.engine(), id) + 1));
        return epochs;
    }

    /** The newest leader epoch in a log; -1 if it has none. */
    private int read(MountedEngine engine, LogId id) {
        try {
            PartitionFiles files = state.get().beginTakingIn(id, engine.name());
            return StrayLogReading.read(engine, id, state.get().lease(), files);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "The leader epochs and the producer snapshot of " + id + " cannot be written: " + failure, failure);
        }
    }

    private CompletionStage<Long> create(Found found, int partitions, Map<Integer, Integer> epochs) {
        Admin controller = admin.get();
        if (controller == null) {
            throw COORDINATOR_NOT_AVAILABLE.because("There is no controller that could create topic " + found.topic());
        }
        List<Integer> leaderEpochs = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            leaderEpochs.add(epochs.getOrDefault(partition, 0));
        }
        RestoredTopic topic =
                new RestoredTopic(found.topicId(), found.topic(), metadata.brokerId(), leaderEpochs, configsOf(found));
        return controller.restoreTopic(topic).thenApply(decided -> versionOf(decided, found.topic()));
    }

    /** The old configs are lost. Retention is unlimited, because the default might delete the records at once. */
    private static Map<String, String> configsOf(Found found) {
        Map<String, String> configs = new HashMap<>();
        configs.put(TopicConfig.STORAGE_ENGINE, found.engine().name());
        configs.put(TopicConfig.RETENTION_MS, UNLIMITED);
        configs.put(TopicConfig.RETENTION_BYTES, UNLIMITED);
        if (InternalTopics.isCompacted(found.topic())) {
            configs.put(TopicConfig.CLEANUP_POLICY, "compact");
        }
        return configs;
    }

    private static long versionOf(Decided<String, CreatedTopic> decided, String topic) {
        Outcome<CreatedTopic> outcome = decided.outcomes().get(topic);
        if (outcome.error() != NONE) {
            throw outcome.error().because(outcome.message());
        }
        return decided.version();
    }

    /** Done when this node follows a view with the topic. */
    private CompletionStage<ClusterView> settleIn(Found found, long version) {
        return on(found.engine(), () -> noteTakenIn(found)).thenCompose(noted -> metadata.reached(version));
    }

    private Void noteTakenIn(Found found) {
        for (LogId id : found.byPartition().values()) {
            try {
                state.get().takenIn(id, found.engine().name(), found.engine().symbolicName());
            } catch (IOException failure) {
                log.warn(
                        "The log of {} is in use, but the data directory does not have it as taken in: {}",
                        id,
                        failure.toString());
            }
        }
        log.info("Took in {} logs of {} with the id {}", found.byPartition().size(), found.topic(), found.topicId());
        return null;
    }

    /**
     * If the controller has created the topic in spite of the failure, the logs are opened where they were set aside.
     */
    private static CompletableFuture<Integer> setAsideAgain(Found found, Throwable failure) {
        return on(found.engine(), () -> {
                    found.byPartition().values().forEach(id -> StrayLogs.setAside(found.engine(), id));
                    return null;
                })
                .thenCompose(done -> CompletableFuture.failedFuture(failure));
    }
}
