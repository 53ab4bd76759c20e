package io.felice.coordinator;

import static io.felice.api.ErrorCode.COORDINATOR_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.TOPIC_ALREADY_EXISTS;
import static io.felice.api.cluster.InternalTopics.CONSUMER_OFFSETS;

import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicCreation;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/** The topic {@code __consumer_offsets}: finds the partition of a group and its leader, and creates the topic. */
final class OffsetsTopic {
    /**
     * Kafka's default is 100 MB. The last segment is not compacted, and whoever becomes coordinator replays it: its size is
     * how long the groups wait.
     */
    private static final int SEGMENT_BYTES = 8 * 1024 * 1024;

    /** Unless {@code offsets.topic.replication.factor} says another number. */
    private static final int MOST_REPLICAS = 3;

    private final ClusterMetadata metadata;
    private final Configs configs;
    private final TopicCreation creation;
    private final Supplier<Admin> admin;
    private final ScheduledExecutorService scheduler;
    private final AtomicReference<CompletableFuture<Void>> pendingCreation = new AtomicReference<>();

    /** @param admin gives null while the controller bundle is away */
    OffsetsTopic(ClusterMetadata metadata, Configs configs, Supplier<Admin> admin, ScheduledExecutorService scheduler) {
        this.metadata = metadata;
        this.configs = configs;
        this.creation = new TopicCreation(metadata, configs);
        this.admin = admin;
        this.scheduler = scheduler;
    }

    /** The partition of a group, as Kafka computes it. */
    static int partitionOf(String groupId, int partitions) {
        int hash = groupId.hashCode();
        return (hash == Integer.MIN_VALUE ? 0 : Math.abs(hash)) % partitions;
    }

    Optional<Integer> partitionOf(String groupId) {
        return metadata.view()
                .topic(CONSUMER_OFFSETS)
                .map(topic -> partitionOf(groupId, topic.partitions().size()));
    }

    /** The partitions that this broker leads according to the newest view. */
    List<TopicPartition> ledHere() {
        return metadata.view().topic(CONSUMER_OFFSETS).map(TopicView::partitions).orElse(Map.of()).keySet().stream()
                .filter(this::isLedHere)
                .map(partition -> new TopicPartition(CONSUMER_OFFSETS, partition))
                .toList();
    }

    boolean isLedHere(int partition) {
        return metadata.view()
                .topic(CONSUMER_OFFSETS)
                .flatMap(topic -> topic.partition(partition))
                .filter(state -> state.leader() == metadata.brokerId())
                .isPresent();
    }

    /** The live broker that leads the group's partition. Creates the topic first if it does not exist. */
    CompletionStage<Integer> leaderOf(String groupId) {
        Optional<Integer> leader = leaderOf(groupId, metadata.view());
        if (leader.isPresent()) {
            return CompletableFuture.completedFuture(leader.get());
        }
        return created().thenCompose(ready -> awaitLeader(groupId)).exceptionallyCompose(failure -> {
            String fact = FeliceException.unwrap(failure).getMessage();
            return CompletableFuture.failedFuture(COORDINATOR_NOT_AVAILABLE.because(String.valueOf(fact), failure));
        });
    }

    private static Optional<Integer> leaderOf(String groupId, ClusterView view) {
        return view.topic(CONSUMER_OFFSETS)
                .flatMap(topic ->
                        topic.partition(partitionOf(groupId, topic.partitions().size())))
                .filter(PartitionState::hasLeader)
                .map(PartitionState::leader)
                .filter(leader -> view.broker(leader).isPresent());
    }

    /** Creates the topic; callers that come while it is being created share the outcome. */
    private CompletionStage<Void> created() {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> running = pendingCreation.compareAndExchange(null, mine);
        if (running != null) {
            return running;
        }
        create().whenComplete((done, failure) -> {
            pendingCreation.set(null);
            if (failure == null) {
                mine.complete(null);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }

    private CompletionStage<Void> create() {
        Admin controller = admin.get();
        if (metadata.view().topic(CONSUMER_OFFSETS).isPresent()) {
            return CompletableFuture.completedFuture(null);
        }
        if (controller == null) {
            return CompletableFuture.failedFuture(
                    COORDINATOR_NOT_AVAILABLE.because("There is no controller to create " + CONSUMER_OFFSETS));
        }
        try {
            return creation.create(controller, List.of(newTopic()), false).thenAccept(OffsetsTopic::mustExist);
        } catch (RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private NewTopic newTopic() {
        BrokerConfig broker = configs.broker();
        return creation.topic(
                CONSUMER_OFFSETS,
                broker.getInt(BrokerConfig.OFFSETS_TOPIC_PARTITIONS),
                replicationFactor(broker),
                Map.of(),
                Map.of(
                        TopicConfig.CLEANUP_POLICY,
                        "compact",
                        TopicConfig.SEGMENT_BYTES,
                        Integer.toString(SEGMENT_BYTES),
                        TopicConfig.COMPRESSION_TYPE,
                        "producer"));
    }

    private int replicationFactor(BrokerConfig broker) {
        int wanted = broker.getInt(BrokerConfig.OFFSETS_TOPIC_REPLICATION_FACTOR);
        int brokers = metadata.view().brokers().size();
        return wanted >= 1 ? wanted : Math.max(1, Math.min(MOST_REPLICAS, brokers));
    }

    private static <V> void mustExist(Decided<String, V> decided) {
        Outcome<V> outcome = decided.outcomes().get(CONSUMER_OFFSETS);
        if (outcome.error() != NONE && outcome.error() != TOPIC_ALREADY_EXISTS) {
            throw outcome.error().because(CONSUMER_OFFSETS + " cannot be created: " + outcome.message());
        }
    }

    private CompletionStage<Integer> awaitLeader(String groupId) {
        CompletableFuture<Integer> leader = new CompletableFuture<>();
        Subscription views = metadata.listen(view -> leaderOf(groupId, view).ifPresent(leader::complete));
        ScheduledFuture<?> patience = scheduler.schedule(
                () -> leader.completeExceptionally(
                        COORDINATOR_NOT_AVAILABLE.because("The partition of group " + groupId + " has no leader")),
                GroupLimits.LEADER_TIMEOUT.toMillis(),
                TimeUnit.MILLISECONDS);
        leader.whenComplete((found, failure) -> {
            views.close();
            patience.cancel(false);
        });
        return leader;
    }
}
