package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static org.awaitility.Awaitility.await;

import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.Strays;
import io.felice.api.status.StatusTable;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.LeaderPartition;
import io.felice.testkit.MemoryClusterStore;
import io.felice.testkit.TestBatches;
import java.lang.annotation.Annotation;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A broker that is alone in its cluster, with the engines that a test gives it. Retention by time is off: a full engine
 * applies retention, and the test kit's records are of 1970.
 */
final class SoloBroker implements AutoCloseable {
    private final MemoryClusterStore store = new MemoryClusterStore();
    private final CompletableFuture<ClusterStore.Term> term = new CompletableFuture<>();
    private final CompletableFuture<Void> offered = new CompletableFuture<>();
    final Broker broker;

    private final List<MetadataRecord> before;

    /** The prefix of a topic's name chooses its engine: {@code memory-orders} is in the engine {@code memory}. */
    SoloBroker(Path data, Map<String, StorageEngine> engines) {
        this(data, engines, List.of());
    }

    /** @param before the records of the metadata log when the broker starts */
    SoloBroker(Path data, Map<String, StorageEngine> engines, List<MetadataRecord> before) {
        this(data, offered(engines), 30_000, "", before);
    }

    private static Map<String, OfferedEngine> offered(Map<String, StorageEngine> engines) {
        Map<String, OfferedEngine> offered = new LinkedHashMap<>();
        engines.forEach((name, engine) -> offered.put(name, OfferedEngine.of(engine)));
        return offered;
    }

    /**
     * @param timeoutMs after this time a call of an engine is late
     * @param takeovers the setting {@code storage.takeover}
     */
    SoloBroker(Path data, Map<String, OfferedEngine> engines, int timeoutMs, String takeovers) {
        this(data, engines, timeoutMs, takeovers, List.of());
    }

    private SoloBroker(
            Path data,
            Map<String, OfferedEngine> engines,
            int timeoutMs,
            String takeovers,
            List<MetadataRecord> before) {
        this.before = before;
        store.campaign(new Candidate());
        List<String> placement = new ArrayList<>();
        engines.keySet().forEach(name -> placement.add(name + "-*:" + name));
        placement.add("*:" + engines.keySet().iterator().next());
        broker = new Broker(
                config(data, timeoutMs, takeovers),
                Map.of("storage.placement", String.join(",", placement), "log.retention.ms", "-1"),
                new Services(),
                Clock.systemUTC(),
                System::nanoTime,
                new Random(1));
        engines.forEach((name, engine) -> bind(name, engine));
        broker.bindStore(store);
        broker.bindEndpoints(() -> List.of(new Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", 9092)));
        get(offered);
    }

    void bind(String name, OfferedEngine engine) {
        broker.bindEngine(engine, Map.of(StorageEngine.NAME, name, "component.name", "org.example.Engine"));
    }

    void unbind(String name, OfferedEngine engine) {
        broker.unbindEngine(engine, Map.of(StorageEngine.NAME, name));
    }

    private final class Services implements Broker.Services {
        @Override
        public void offer(
                Partitions partitions,
                FollowedPartitions followed,
                ClusterMetadata metadata,
                Configs configs,
                Strays strays) {
            offered.complete(null);
        }

        @Override
        public void withdraw() {
            offered.cancel(false);
        }
    }

    /** A controller that creates the cluster id and registers brokers. */
    private final class Candidate implements ClusterStore.Candidate {
        private final Set<Long> known = new HashSet<>();

        @Override
        public void elected(ClusterStore.Term newTerm) {
            List<MetadataRecord> first = new ArrayList<>(List.of(new MetadataRecord.ClusterNamed("c1")));
            first.addAll(before);
            newTerm.append(first);
            term.complete(newTerm);
        }

        @Override
        public void deposed() {
            known.clear();
        }

        @Override
        public void brokers(List<ClusterStore.LiveRegistration> live) {
            live.stream()
                    .filter(one -> known.add(one.epoch()))
                    .forEach(one -> append(new MetadataRecord.BrokerRegistered(one.broker(), one.epoch())));
        }
    }

    /** Appends a change to the metadata log, and gives its version. */
    CompletionStage<Long> append(MetadataRecord... records) {
        return term.thenCompose(now -> now.append(List.of(records)));
    }

    private void applied(MetadataRecord... records) {
        get(broker.metadata().reached(get(append(records))));
    }

    /** Creates a topic with one partition. */
    UUID create(String topic, Map<String, String> configs) {
        UUID id = UUID.randomUUID();
        create(topic, id, configs);
        return id;
    }

    /** Creates the topic that another broker had with the same data. */
    void create(String topic, UUID id, Map<String, String> configs) {
        announce(topic, id, configs);
        led(topic);
    }

    /** Creates a topic, and does not wait until it is led. */
    void announce(String topic, UUID id, Map<String, String> configs) {
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new MetadataRecord.TopicCreated(id, topic));
        configs.forEach(
                (key, value) -> records.add(new MetadataRecord.ConfigSet(ConfigResource.topic(topic), key, value)));
        records.add(new MetadataRecord.PartitionChanged(id, 0, PartitionState.created(List.of(0), List.of(0), 0)));
        applied(records.toArray(MetadataRecord[]::new));
    }

    void delete(String topic) {
        applied(new MetadataRecord.TopicDeleted(
                broker.metadata().view().topic(topic).orElseThrow().topicId()));
    }

    void configure(String topic, String key, String value) {
        applied(new MetadataRecord.ConfigSet(ConfigResource.topic(topic), key, value));
    }

    /** Waits until the topic's partition is led. */
    Partition led(String topic) {
        TopicPartition first = new TopicPartition(topic, 0);
        return await().atMost(Duration.ofSeconds(60))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions()
                .until(
                        () -> broker.partitions().leader(first),
                        found -> found instanceof LeaderPartition partition && partition.isLeading());
    }

    CompletionStage<Appended> produce(String topic, TestBatches batch) {
        return led(topic).append(batch.at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    /** The engine that Kafka's tools show for the log of a partition. */
    String engineOf(TopicPartition partition) {
        return get(broker.partitions().logDirs()).stream()
                .filter(dir -> dir.replicas().stream()
                        .anyMatch(replica -> replica.partition().equals(partition) && !replica.isFuture()))
                .map(dir -> dir.volume().logDir().split(":")[0])
                .findFirst()
                .orElseThrow();
    }

    /** A cell of the status table {@code broker.storage}. */
    Object ofEngine(String engine, String column) {
        return table("broker.storage").cell(engine, column).orElseThrow();
    }

    long offline() {
        return (Long) table("broker.partitions").value("offline").orElseThrow();
    }

    StatusTable table(String name) {
        return broker.tables().stream()
                .filter(table -> table.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() {
        broker.close();
        store.close();
    }

    private static Broker.Config config(Path data, int timeoutMs, String takeovers) {
        return new Broker.Config() {
            @Override
            public Class<? extends Annotation> annotationType() {
                return Broker.Config.class;
            }

            @Override
            public int broker_id() {
                return 0;
            }

            @Override
            public String data_dir() {
                return data.toString();
            }

            @Override
            public String rack() {
                return "";
            }

            @Override
            public int storage_threads() {
                return 3;
            }

            @Override
            public long stray_log_delay_ms() {
                return 60_000;
            }

            @Override
            public int storage_timeout_ms() {
                return timeoutMs;
            }

            @Override
            public String storage_takeover() {
                return takeovers;
            }
        };
    }
}
