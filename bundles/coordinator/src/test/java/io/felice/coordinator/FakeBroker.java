package io.felice.coordinator;

import static io.felice.api.cluster.InternalTopics.CONSUMER_OFFSETS;

import io.felice.api.ErrorCode;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataRecord.BrokerRegistered;
import io.felice.api.cluster.MetadataRecord.PartitionChanged;
import io.felice.api.cluster.MetadataRecord.TopicCreated;
import io.felice.api.cluster.MetadataRecord.TopicDeleted;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.RepeatedFetch;
import io.felice.testkit.RefusingAdmin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A broker of one node around the coordinator: topics, leadership, configs and the logs of the offsets topic, in memory. */
final class FakeBroker implements Partitions, ClusterMetadata, Configs {
    static final int ID = 1;

    final FakeAdmin admin = new FakeAdmin();
    private final Map<Integer, FakePartition.Log> logs = new HashMap<>();
    private final Map<Integer, FakePartition> led = new TreeMap<>();
    private final Map<Integer, Integer> epochs = new HashMap<>();
    private final Set<Integer> offline = new HashSet<>();
    private final List<LeadershipListener> leadershipListeners = new ArrayList<>();
    private final List<Consumer<ClusterView>> viewListeners = new ArrayList<>();
    private final Map<String, String> brokerConfig = new HashMap<>();
    private final Map<String, String> topicConfig = new HashMap<>();
    private BrokerConfig broker = BrokerConfig.with(Map.of());
    private TopicConfig offsetsTopic = TopicConfig.defaults();
    private ClusterView view = ClusterView.EMPTY;

    /** The error of a check of a topic's configs against its engine, or null. */
    ErrorCode unfit;

    FakeBroker() {
        joins(ID);
    }

    // ---- what a test does

    void set(String brokerKey, Object value) {
        brokerConfig.put(brokerKey, value.toString());
        broker = BrokerConfig.with(brokerConfig);
    }

    void setOnOffsetsTopic(String topicKey, Object value) {
        topicConfig.put(topicKey, value.toString());
        offsetsTopic = TopicConfig.with(topicConfig);
    }

    /** A broker with this id registers. */
    void joins(int id) {
        BrokerRegistration.Endpoint endpoint =
                new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "localhost", 9091 + id);
        apply(List.of(new BrokerRegistered(
                new BrokerRegistration(id, new UUID(1, id), new UUID(2, id), List.of(endpoint), null), id)));
    }

    /** Creates a topic whose partitions this broker leads. */
    void createTopic(String name, int partitions) {
        UUID id = UUID.randomUUID();
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new TopicCreated(id, name));
        for (int i = 0; i < partitions; i++) {
            records.add(new PartitionChanged(id, i, PartitionState.created(List.of(ID), List.of(ID), ID)));
        }
        apply(records);
    }

    void deleteTopic(String name) {
        apply(List.of(new TopicDeleted(view.topic(name).orElseThrow().topicId())));
    }

    /** Creates the offsets topic and leads all its partitions. */
    void createOffsetsTopic(int partitions) {
        createTopic(CONSUMER_OFFSETS, partitions);
        for (int i = 0; i < partitions; i++) {
            lead(i);
        }
    }

    /** Begins to lead a partition of the offsets topic in the next leader epoch. Its log stays. */
    FakePartition lead(int number) {
        int epoch = epochs.merge(number, 1, Integer::sum);
        FakePartition.Log log = logs.computeIfAbsent(number, n -> new FakePartition.Log());
        FakePartition partition = new FakePartition(new TopicPartition(CONSUMER_OFFSETS, number), log, epoch);
        led.put(number, partition);
        List.copyOf(leadershipListeners).forEach(listener -> listener.leading(partition, epoch));
        return partition;
    }

    /** Leads a partition of a topic that was made again, with an empty log and in epoch 1; then the former one ends. */
    void leadSuccessor(int number) {
        FakePartition former = led.get(number);
        epochs.remove(number);
        logs.remove(number);
        lead(number);
        former.lose();
        List.copyOf(leadershipListeners).forEach(listener -> listener.resigned(former, former.leaderEpoch()));
    }

    void resign(int number) {
        FakePartition partition = led.remove(number);
        partition.lose();
        List.copyOf(leadershipListeners).forEach(listener -> listener.resigned(partition, partition.leaderEpoch()));
    }

    /** Makes a partition of the offsets topic offline, as if its disk had failed. */
    void takeOffline(int number) {
        offline.add(number);
        resign(number);
    }

    FakePartition partition(int number) {
        return led.get(number);
    }

    void apply(List<MetadataRecord> records) {
        view = view.after(view.version() + 1, records);
        List.copyOf(viewListeners).forEach(listener -> listener.accept(view));
    }

    // ---- ClusterMetadata

    @Override
    public ClusterView view() {
        return view;
    }

    @Override
    public int brokerId() {
        return ID;
    }

    @Override
    public CompletionStage<ClusterView> replayed(long version) {
        return reached(version);
    }

    @Override
    public CompletionStage<ClusterView> reached(long version) {
        return CompletableFuture.completedFuture(view);
    }

    @Override
    public Subscription listen(Consumer<ClusterView> listener) {
        viewListeners.add(listener);
        listener.accept(view);
        return () -> viewListeners.remove(listener);
    }

    // ---- Partitions

    @Override
    public Partition leader(TopicPartition partition) {
        if (!led.containsKey(partition.partition())) {
            ErrorCode error = offline.contains(partition.partition())
                    ? ErrorCode.KAFKA_STORAGE_ERROR
                    : ErrorCode.LEADER_NOT_AVAILABLE;
            throw error.because("the test says so");
        }
        return led.get(partition.partition());
    }

    @Override
    public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public RepeatedFetch repeatedFetch() {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public CompletionStage<Map<TopicPartition, Outcome<Void>>> move(Map<TopicPartition, String> targets) {
        throw new UnsupportedOperationException("the coordinator moves no log");
    }

    @Override
    public List<LogMove> moves() {
        return List.of();
    }

    @Override
    public CompletionStage<List<LogDir>> logDirs() {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public Subscription listen(String topic, LeadershipListener listener) {
        leadershipListeners.add(listener);
        led.values().forEach(partition -> listener.leading(partition, partition.leaderEpoch()));
        return () -> leadershipListeners.remove(listener);
    }

    @Override
    public CompletionStage<Long> newProducerId() {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    // ---- Configs

    @Override
    public TopicConfig topic(String topic) {
        return offsetsTopic;
    }

    @Override
    public BrokerConfig broker() {
        return broker;
    }

    @Override
    public List<ConfigEntry> describe(ConfigResource resource) {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public List<ConfigEntry> describeTopic(String topic, Map<String, String> own) {
        throw new UnsupportedOperationException("a coordinator has no use for this");
    }

    @Override
    public void check(ConfigResource resource, String key, String value) {}

    @Override
    public void check(ConfigResource resource, Map<String, String> values) {
        if (unfit != null) {
            throw unfit.because("the test says so");
        }
    }

    /** A controller that creates topics: at once, or when the test calls {@link #finish}. */
    final class FakeAdmin extends RefusingAdmin {
        final List<NewTopic> created = new ArrayList<>();
        private final List<Runnable> waiting = new ArrayList<>();
        boolean slow;
        ErrorCode refusing;

        FakeAdmin() {
            super("a coordinator");
        }

        void finish() {
            List<Runnable> all = List.copyOf(waiting);
            waiting.clear();
            all.forEach(Runnable::run);
        }

        @Override
        public CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> topics, boolean validate) {
            CompletableFuture<Decided<String, CreatedTopic>> decided = new CompletableFuture<>();
            waiting.add(() -> {
                NewTopic topic = topics.get(0);
                created.add(topic);
                if (refusing != null) {
                    decided.complete(new Decided<>(
                            view.version(), Map.of(topic.name(), Outcome.failed(refusing, "the test says so"))));
                    return;
                }
                createOffsetsTopic(topic.partitions());
                CreatedTopic made = new CreatedTopic(
                        view.topic(topic.name()).orElseThrow().topicId(),
                        topic.partitions(),
                        topic.replicationFactor());
                decided.complete(new Decided<>(view.version(), Map.of(topic.name(), Outcome.of(made))));
            });
            if (!slow) {
                finish();
            }
            return decided;
        }

        @Override
        public Optional<Integer> controllerId() {
            return Optional.of(ID);
        }
    }
}
