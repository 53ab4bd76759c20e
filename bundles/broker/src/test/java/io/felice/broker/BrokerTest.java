package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.Launch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.Strays;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.Epochs;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.PartitionFiles;
import io.felice.broker.partition.ScriptedEngine;
import io.felice.testkit.MemoryClusterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerTest {
    private static final Endpoints LOOPBACK = () -> List.of(new Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", 9092));
    private static final Map<String, Object> SCRIPTED = Map.of(StorageEngine.NAME, "scripted");

    @TempDir
    Path directory;

    private final ScriptedEngine engine = new ScriptedEngine(Clock.systemUTC());
    private final MemoryClusterStore store = new MemoryClusterStore();
    private final Controller controller = new Controller();
    private final Offered offered = new Offered();
    private final List<Broker> brokers = new ArrayList<>();
    private volatile Broker broker;

    /** Records which brokers register their services, and how many topics each knew at that time. */
    private static final class Offered implements Broker.Services {
        private final List<Integer> topicsAtOffer = new CopyOnWriteArrayList<>();
        private final List<Partitions> offering = new CopyOnWriteArrayList<>();
        private final AtomicInteger anew = new AtomicInteger();

        @Override
        public void offer(
                Partitions partitions,
                FollowedPartitions followed,
                ClusterMetadata metadata,
                Configs configs,
                Strays strays) {
            topicsAtOffer.add(metadata.view().topics().size());
            offering.add(partitions);
        }

        @Override
        public void withdraw() {
            offering.clear();
        }

        @Override
        public void restart() {
            anew.incrementAndGet();
        }
    }

    /** A minimal controller: sets the cluster id, registers brokers, creates and deletes topics. */
    private final class Controller implements ClusterStore.Candidate {
        private final CompletableFuture<ClusterStore.Term> term = new CompletableFuture<>();
        private final Map<Integer, Long> known = new HashMap<>();

        @Override
        public void elected(ClusterStore.Term newTerm) {
            newTerm.append(List.of(new MetadataRecord.ClusterNamed("c1")));
            term.complete(newTerm);
        }

        @Override
        public void deposed() {
            known.clear();
        }

        @Override
        public void brokers(List<ClusterStore.LiveRegistration> live) {
            for (ClusterStore.LiveRegistration one : live) {
                if (!Long.valueOf(one.epoch()).equals(known.put(one.broker().brokerId(), one.epoch()))) {
                    append(new MetadataRecord.BrokerRegistered(one.broker(), one.epoch()));
                }
            }
        }

        CompletionStage<Long> append(MetadataRecord... records) {
            return term.thenCompose(t -> t.append(List.of(records)));
        }

        UUID create(String topic, int partitions) {
            UUID id = UUID.randomUUID();
            get(broker.metadata().reached(announce(id, topic, partitions)));
            return id;
        }

        /** Creates a topic, and does not wait until the broker has opened it. */
        long announce(UUID id, String topic, int partitions) {
            List<MetadataRecord> records = new ArrayList<>();
            records.add(new MetadataRecord.TopicCreated(id, topic));
            for (int p = 0; p < partitions; p++) {
                records.add(
                        new MetadataRecord.PartitionChanged(id, p, PartitionState.created(List.of(0), List.of(0), 0)));
            }
            return get(append(records.toArray(MetadataRecord[]::new)));
        }

        void lead(UUID topic, int epoch, int leader) {
            PartitionState state =
                    new PartitionState(List.of(0, 1), List.of(0), List.of(), List.of(), leader, epoch, epoch, false);
            get(broker.metadata().reached(get(append(new MetadataRecord.PartitionChanged(topic, 0, state)))));
        }
    }

    @BeforeEach
    void setUp() {
        store.campaign(controller);
        broker = start();
        eventually(() -> assertThat(offered.offering).hasSize(1));
    }

    @AfterEach
    void tearDown() {
        brokers.forEach(Broker::close);
        store.close();
    }

    private Broker start() {
        Broker made = make(directory.resolve("broker"), 0);
        made.bindEngine(OfferedEngine.of(engine), SCRIPTED);
        return meetTheOthers(made);
    }

    private Broker startWithoutEngine() {
        return meetTheOthers(make(directory.resolve("broker"), 0));
    }

    private Broker meetTheOthers(Broker started) {
        started.bindStore(store);
        started.bindEndpoints(LOOPBACK);
        return started;
    }

    private Broker make(Path data, int id) {
        return make(data, id, Map.of("storage.placement", "*:scripted", "log.retention.check.interval.ms", "100"));
    }

    private Broker make(Path data, int id, Map<String, Object> file) {
        Broker made = new Broker(config(id, data), file, offered, Clock.systemUTC(), System::nanoTime, new Random(1));
        brokers.add(made);
        return made;
    }

    private void stop() {
        broker.close();
        brokers.remove(broker);
    }

    private static Broker.Config config(int id, Path data) {
        return new Broker.Config() {
            @Override
            public Class<? extends Annotation> annotationType() {
                return Broker.Config.class;
            }

            @Override
            public int broker_id() {
                return id;
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
                return 200;
            }

            @Override
            public int storage_timeout_ms() {
                return 30_000;
            }

            @Override
            public String storage_takeover() {
                return "";
            }
        };
    }

    private static CompletionStage<Appended> produce(Partition partition, io.felice.testkit.TestBatches batch) {
        return partition.append(batch.at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    private static TopicPartition first(String topic) {
        return new TopicPartition(topic, 0);
    }

    private long count(String table, String what) {
        StatusTable found = broker.tables().stream()
                .filter(t -> t.name().equals(table))
                .findFirst()
                .orElseThrow();
        return (Long) found.value(what).orElseThrow();
    }

    private Partition led(String topic) {
        eventually(() -> assertThat(broker.partitions().leader(first(topic))).isInstanceOf(LeaderPartition.class));
        return broker.partitions().leader(first(topic));
    }

    @Test
    void retentionContinuesWhenTheWallClockIsSetBack() {
        stop();
        AtomicLong days = new AtomicLong();
        Clock setBack = new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return Instant.now().minus(Duration.ofDays(days.get()));
            }
        };
        broker = new Broker(
                config(0, directory.resolve("broker")),
                Map.of("storage.placement", "*:scripted", "log.retention.check.interval.ms", "100"),
                offered,
                setBack,
                System::nanoTime,
                new Random(1));
        brokers.add(broker);
        broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
        meetTheOthers(broker);
        eventually(() -> assertThat(offered.offering).hasSize(1));
        days.set(30);
        controller.create("orders", 1);
        get(produce(led("orders"), batch(1)));

        eventually(() -> assertThat(led("orders").logStartOffset()).isEqualTo(1));
    }

    @Test
    void aNewLeaderEpochOfTheSameLeaderDoesNotReopenTheLog() {
        UUID topic = controller.create("orders", 1);
        get(produce(led("orders"), batch(1)));
        int opens = engine.opens.get();

        controller.lead(topic, 1, 0);

        eventually(() -> assertThat(led("orders").leaderEpoch()).isEqualTo(1));
        assertThat(get(produce(led("orders"), batch(1))).baseOffset()).isEqualTo(1);
        assertThat(engine.opens).hasValue(opens);
    }

    @Test
    void theLogStaysOpenWhileAnotherBrokerLeads() {
        UUID topic = controller.create("orders", 1);
        get(produce(led("orders"), batch(1)));
        int opens = engine.opens.get();

        controller.lead(topic, 1, 1);
        eventually(() -> refused(
                ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> broker.partitions().leader(first("orders"))));
        controller.lead(topic, 2, 0);

        eventually(() -> assertThat(led("orders").leaderEpoch()).isEqualTo(2));
        assertThat(get(produce(led("orders"), batch(1))).baseOffset()).isEqualTo(1);
        assertThat(engine.opens).hasValue(opens);
    }

    @Test
    void aChangedFileAppliesWithoutARestartOfTheBroker() {
        Partition partition = ledAfterCreating("orders");

        broker.modified(config(0, directory.resolve("elsewhere")), Map.of("num.partitions", "9"));

        eventually(() ->
                assertThat(broker.configs().broker().getInt("num.partitions")).isEqualTo(9));
        assertThat(broker.partitions().leader(first("orders"))).isSameAs(partition);
    }

    @Test
    void anIllegalFileIsIgnoredAndTheNextLegalFileApplies() {
        broker.modified(config(0, directory), Map.of("num.partitions", "9"));
        broker.modified(config(0, directory), Map.of("num.partitions", "9", "storage.placement", "nonsense"));
        broker.modified(config(0, directory), Map.of("num.partitions", "8"));

        eventually(() ->
                assertThat(broker.configs().broker().getInt("num.partitions")).isEqualTo(8));
    }

    @Test
    void aBrokerThatCannotRunIsRestartedWhenItsFileIsChanged() {
        stop();
        Broker illegal = make(directory.resolve("broker"), 0, Map.of("storage.placement", "nonsense"));
        illegal.modified(config(0, directory.resolve("broker")), Map.of("storage.placement", "*:scripted"));
        eventually(() -> assertThat(offered.anew).hasValue(1));
        Broker mistaken = make(directory.resolve("broker"), 5, Map.of());
        mistaken.modified(config(0, directory.resolve("broker")), Map.of());

        eventually(() -> assertThat(offered.anew).hasValue(2));
    }

    @Test
    void aRunningBrokerIsNotRestartedWhenItsFileIsChanged() {
        broker.modified(config(0, directory), Map.of("storage.placement", "nonsense"));
        broker.modified(config(0, directory), Map.of("storage.placement", "*:scripted", "num.partitions", "7"));

        eventually(() ->
                assertThat(broker.configs().broker().getInt("num.partitions")).isEqualTo(7));
        assertThat(offered.anew).hasValue(0);
    }

    @Test
    void aPlacementOnAMissingEngineIsReportedAsATrouble() {
        eventually(() -> assertThat(broker.troubles()).isEmpty());

        place("*:tape");
        eventually(
                () -> assertThat(reasons()).singleElement().asString().contains("*:tape", "engine tape", "scripted"));
        place("*:scripted");

        eventually(() -> assertThat(broker.troubles()).isEmpty());
    }

    private List<String> reasons() {
        return broker.troubles().stream().map(Trouble::reason).toList();
    }

    private List<Trouble.Extent> extents() {
        return broker.troubles().stream().map(Trouble::extent).toList();
    }

    @Test
    void aBrokerThatStopsWhileItRegistersItsServicesIsNotReady() throws Exception {
        Path ready = directory.resolve("ready");
        System.setProperty(Launch.READY_FILE, ready.toString());
        CountDownLatch offering = new CountDownLatch(1);
        CountDownLatch withdrawn = new CountDownLatch(1);
        Broker.Services slow = new Broker.Services() {
            @Override
            public void offer(
                    Partitions partitions,
                    FollowedPartitions followed,
                    ClusterMetadata metadata,
                    Configs configs,
                    Strays strays) {
                offering.countDown();
                try {
                    withdrawn.await();
                } catch (InterruptedException interrupted) {
                    throw new IllegalStateException(interrupted);
                }
            }

            @Override
            public void withdraw() {
                withdrawn.countDown();
            }
        };
        try {
            stop();
            broker = new Broker(
                    config(0, directory.resolve("broker")),
                    Map.of("storage.placement", "*:scripted"),
                    slow,
                    Clock.systemUTC(),
                    System::nanoTime,
                    new Random(1));
            brokers.add(broker);
            broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
            meetTheOthers(broker);
            assertThat(offering.await(60, TimeUnit.SECONDS)).isTrue();

            stop();

            assertThat(ready).doesNotExist();
        } finally {
            System.clearProperty(Launch.READY_FILE);
        }
    }

    private void place(String placement) {
        get(controller.append(
                new MetadataRecord.ConfigSet(ConfigResource.allBrokers(), "storage.placement", placement)));
    }

    @Test
    void withoutTheEngineOfNewTopicsTheBrokerIsReadyAndReportsATrouble() {
        Path ready = directory.resolve("ready");
        System.setProperty(Launch.READY_FILE, ready.toString());
        try {
            stop();
            broker = startWithoutEngine();
            eventually(() -> assertThat(offered.offering).contains(broker.partitions()));
            eventually(() -> assertThat(ready).exists());
            assertThat(extents()).containsExactly(Trouble.Extent.PART);
            assertThat(reasons()).singleElement().asString().contains("engine scripted", "io.felice.broker.cfg");

            broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
            eventually(() -> assertThat(broker.troubles()).isEmpty());
            broker.unbindEngine(OfferedEngine.of(engine), SCRIPTED);

            eventually(() -> assertThat(extents()).containsExactly(Trouble.Extent.PART));
            assertThat(ready).exists();
        } finally {
            System.clearProperty(Launch.READY_FILE);
        }
    }

    @Test
    void aBrokerStartsWithoutTheEngineOfATopicAndReportsThePartitionAsOffline() {
        controller.create("orders", 1);
        led("orders");
        stop();
        broker = startWithoutEngine();
        eventually(() -> assertThat(offered.offering).contains(broker.partitions()));

        eventually(() -> assertThat(reasons()).anyMatch(reason -> reason.contains("1 partition is offline: orders-0")));

        CompletionStage<Appended> waiting = produce(broker.partitions().leader(first("orders")), batch(1));
        assertThatThrownBy(() -> get(waiting)).hasStackTraceContaining("the storage engine scripted is not running");
        eventually(() -> assertThatThrownBy(() -> broker.partitions().leader(first("orders")))
                .hasMessageContaining("orders-0 is offline: the storage engine scripted is not running"));
        broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
        led("orders");
    }

    @Test
    void aStartingBrokerReportsWhatItWaitsFor() {
        stop();
        Broker waiting = make(directory.resolve("broker"), 0);
        assertThat(waiting.troubles())
                .containsExactly(Trouble.ofNode("The broker waits for the network to open its listeners"));
        waiting.bindEndpoints(LOOPBACK);
        eventually(() -> assertThat(waiting.troubles())
                .containsExactly(Trouble.ofNode("The broker waits for the cluster store, which is not running")));
        waiting.bindEngine(OfferedEngine.of(engine), SCRIPTED);

        waiting.bindStore(store);

        eventually(() -> assertThat(waiting.troubles()).isEmpty());
        waiting.unbindEndpoints(LOOPBACK);
        eventually(() -> assertThat(waiting.troubles()).hasSize(1));
        assertThat(waiting.troubles().get(0).extent()).isEqualTo(Trouble.Extent.NODE);
    }

    private Partition ledAfterCreating(String topic) {
        controller.create(topic, 1);
        return led(topic);
    }

    @Test
    void aNewTopicCanBeUsedAsSoonAsItsVersionIsReached() {
        controller.create("orders", 3);

        Partition partition = broker.partitions().leader(first("orders"));

        assertThat(get(produce(partition, batch(5))).lastOffset()).isEqualTo(4);
        assertThat(count("broker.partitions", "leading")).isEqualTo(3);
    }

    @Test
    void unknownPartitionsAreRefused() {
        controller.create("orders", 1);

        refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, () -> broker.partitions().leader(first("nothing")));
        refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, () -> broker.partitions()
                .leader(new TopicPartition("orders", 9)));
    }

    @Test
    void theViewContainsThisBrokerAndItsDirectoryHasTheClusterId() {
        eventually(() -> assertThat(broker.metadata().view().broker(0)).isPresent());

        eventually(() -> assertThat(directory.resolve("broker/felice.properties"))
                .content()
                .contains("cluster.id=c1", "node.id=0", "store.id="));
    }

    @Test
    void servicesAreRegisteredOnlyWhenTheViewHasAllTopics() {
        for (int i = 0; i < 10; i++) {
            controller.create("t" + i, 1);
        }
        stop();
        assertThat(offered.offering).isEmpty();

        broker = start();

        eventually(() -> assertThat(offered.offering).containsExactly(broker.partitions()));
        assertThat(offered.topicsAtOffer).containsExactly(0, 10);
        assertThat(broker.partitions().leader(first("t9"))).isNotNull();
    }

    @Test
    void recordsAndProducerStateSurviveARestart() {
        controller.create("orders", 1);
        get(produce(led("orders"), batch(5).producer(7, 0, 0)));
        stop();

        broker = start();

        Partition again = led("orders");
        assertThat(again.logEndOffset()).isEqualTo(5);
        assertThat(again.highWatermark()).isEqualTo(5);
        assertThat(get(produce(again, batch(5).producer(7, 0, 0))).baseOffset()).isZero();
    }

    @Test
    void aHigherLeaderEpochAppendsToTheSameLogAndFencesTheOldLeader() {
        UUID topic = controller.create("orders", 1);
        get(produce(led("orders"), batch(5)));
        Partition old = broker.partitions().leader(first("orders"));

        controller.lead(topic, 4, 0);

        eventually(() -> assertThat(broker.partitions().leader(first("orders")).leaderEpoch())
                .isEqualTo(4));
        get(produce(broker.partitions().leader(first("orders")), batch(5)));
        assertThat(broker.partitions().leader(first("orders")).epochOf(4)).isZero();
        assertThat(broker.partitions().leader(first("orders")).epochOf(5)).isEqualTo(4);
        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(produce(old, batch(1))));
    }

    @Test
    void listenersGetEveryChangeOfLeadershipInOrder() {
        UUID topic = controller.create("orders", 1);
        led("orders");
        List<String> heard = new CopyOnWriteArrayList<>();
        broker.partitions().listen("orders", new LeadershipListener() {
            @Override
            public void leading(Partition partition, int leaderEpoch) {
                heard.add("+" + leaderEpoch);
            }

            @Override
            public void resigned(Partition partition, int leaderEpoch) {
                heard.add("-" + leaderEpoch);
            }
        });

        controller.lead(topic, 1, 0);
        controller.lead(topic, 2, 1);
        eventually(() -> refused(
                ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> broker.partitions().leader(first("orders"))));
        controller.lead(topic, 3, 0);

        eventually(() -> assertThat(heard).containsExactly("+0", "-0", "+1", "-1", "+3"));
    }

    @Test
    void deletingATopicDeletesItsLogsAndTheBrokersFilesForThem() {
        UUID topic = controller.create("orders", 2);
        get(produce(led("orders"), batch(1)));
        assertThat(engine.logs()).hasSize(2);

        controller.append(new MetadataRecord.TopicDeleted(topic));

        eventually(() -> assertThat(engine.logs()).isEmpty());
        refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, () -> broker.partitions().leader(first("orders")));
        eventually(() -> assertThat(directory.resolve("broker/state/scripted")).isEmptyDirectory());
    }

    @Test
    void aLogOfADeletedTopicThatIsBeingClosedIsNotStrayAndIsDeletedOnceItIsClosed() {
        UUID topic = controller.create("orders", 1);
        get(produce(led("orders"), batch(1)));
        LogId stray = new LogId(UUID.randomUUID(), 0, "gone");
        engine.open(stray, 1);
        stop();
        remember(stray);
        CountDownLatch searched = new CountDownLatch(1);
        broker = start();
        led("orders");
        engine.onClose = () -> await(searched);

        controller.append(new MetadataRecord.TopicDeleted(topic));

        eventually(() -> assertThat(engine.deleted).contains(stray));
        assertThat(engine.deleted).doesNotContain(new LogId(topic, 0, "orders"));
        searched.countDown();
        eventually(() -> assertThat(engine.logs()).isEmpty());
        eventually(() -> assertThat(directory.resolve("broker/state/scripted")).isEmptyDirectory());
    }

    @Test
    void aStoppingBrokerClosesALogThatIsBeingOpened() throws Exception {
        CountDownLatch opening = new CountDownLatch(1);
        CountDownLatch device = new CountDownLatch(1);
        AtomicInteger closed = new AtomicInteger();
        engine.onOpen = () -> {
            opening.countDown();
            await(device);
        };
        engine.onClose = closed::incrementAndGet;
        controller.announce(UUID.randomUUID(), "orders", 1);
        await(opening);

        CompletableFuture<Void> stopped = CompletableFuture.runAsync(this::stop);
        eventually(() -> refused(
                ErrorCode.LEADER_NOT_AVAILABLE, () -> broker.partitions().leader(new TopicPartition("orders", 0))));
        Awaitility.await().during(Duration.ofMillis(300)).until(() -> !stopped.isDone());
        device.countDown();

        stopped.get(60, TimeUnit.SECONDS);
        assertThat(closed).hasValue(1);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aTopicThatIsCreatedAgainIsEmpty() {
        UUID old = controller.create("orders", 1);
        get(produce(led("orders"), batch(5)));
        get(controller.append(new MetadataRecord.TopicDeleted(old)));

        UUID fresh = controller.create("orders", 1);

        eventually(() -> assertThat(led("orders").topicId()).isEqualTo(fresh));
        assertThat(led("orders").logEndOffset()).isZero();
    }

    @Test
    void aTopicThatIsCreatedAgainWhileTheBrokerIsDownDoesNotInheritAHighWatermark() {
        UUID old = controller.create("orders", 1);
        get(produce(led("orders"), batch(5)));
        controller.create("kept", 1);
        get(produce(led("kept"), batch(3)));
        stop();
        Path checkpoint = directory.resolve("broker/replication-offset-checkpoint");
        assertThat(checkpoint).hasContent("0\n2\nkept 0 3\norders 0 5\n");
        UUID fresh = UUID.randomUUID();
        PartitionState state = PartitionState.created(List.of(0), List.of(0), 0);
        long version = get(controller.append(
                new MetadataRecord.TopicDeleted(old),
                new MetadataRecord.TopicCreated(fresh, "orders"),
                new MetadataRecord.PartitionChanged(fresh, 0, state)));

        broker = startWithoutEngine();
        eventually(() -> assertThat(offered.offering).contains(broker.partitions()));
        assertThat(broker.metadata().view().version()).isGreaterThanOrEqualTo(version);
        stop();

        assertThat(checkpoint).hasContent("0\n1\nkept 0 3\n");
    }

    @Test
    void strayLogsAreRemovedOnceTheViewIsComplete() {
        controller.create("orders", 1);
        LogId stray = new LogId(UUID.randomUUID(), 0, "gone");
        engine.open(stray, 1);
        stop();
        remember(stray);

        broker = start();

        eventually(() -> assertThat(engine.logs()).doesNotContain(stray));
        assertThat(engine.logs()).hasSize(1);
    }

    @Test
    void aBrokerWhoseEngineHasLogsOfAnotherClusterDoesNotStart() throws IOException {
        controller.create("orders", 1);
        stop();
        engine.otherCluster = "c2";
        int offers = offered.offering.size();
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        asInANewProcess();
        try {
            broker = start();

            eventually(() -> assertThat(fatal).exists());
            assertThat(Files.readString(fatal)).contains("The logs belong to cluster c2");
            refused(ErrorCode.LEADER_NOT_AVAILABLE, () -> broker.partitions().leader(first("orders")));
            assertThat(offered.offering).hasSize(offers);
        } finally {
            System.clearProperty(Launch.FATAL_FILE);
        }
    }

    private static void asInANewProcess() {
        System.clearProperty("felice.served");
        assertThat(Launch.hasServed()).isFalse();
    }

    /** Writes files for the log, as if this node had used the log in this cluster. */
    private void remember(LogId log) {
        Path state = directory.resolve("broker/state/scripted/" + log.topicId() + "-" + log.partition());
        try {
            new PartitionFiles(state).writeEpochs(List.of(new Epochs.Entry(0, 0)));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Test
    void theBrokersFilesForAMissingStrayLogAreDeleted() throws Exception {
        Path stray = directory.resolve("broker/state/scripted/" + UUID.randomUUID() + "-0");
        stop();
        new PartitionFiles(stray).writeEpochs(List.of(new Epochs.Entry(0, 0)));
        assertThat(stray).exists();

        broker = start();

        eventually(() -> assertThat(stray).doesNotExist());
    }

    @Test
    void aFailedLogTakesOnlyItsPartitionOfflineUntilItWorksAgain() {
        UUID topic = controller.create("orders", 2);
        controller.create("calm", 1);
        get(produce(led("orders"), batch(1)));
        engine.failing.add(new LogId(topic, 0, "orders"));

        refused(
                ErrorCode.KAFKA_STORAGE_ERROR,
                () -> get(produce(broker.partitions().leader(first("orders")), batch(1))));

        eventually(() -> assertThat(count("broker.partitions", "offline")).isEqualTo(1));
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> broker.partitions().leader(first("orders")));
        assertThat(get(produce(broker.partitions().leader(first("calm")), batch(1)))
                        .baseOffset())
                .isZero();
        engine.failing.clear();
        assertThat(get(produce(led("orders"), batch(1))).baseOffset()).isEqualTo(1);
        assertThat(count("broker.partitions", "offline")).isZero();
    }

    @Test
    void aFullDiskIsWrittenToAgainOnceItHasFreeSpace() throws InterruptedException {
        UUID topic = controller.create("orders", 1);
        led("orders");
        engine.failing.add(new LogId(topic, 0, "orders"));
        engine.usable = 0;
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(led("orders"), batch(1))));
        engine.failing.clear();
        Thread.sleep(1_200);
        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(produce(led("orders"), batch(1))));
        assertThat(engine.settles).hasValue(0);

        engine.usable = 100 << 20;

        eventually(() ->
                assertThat(get(produce(led("orders"), batch(1))).baseOffset()).isZero());
    }

    @Test
    void idempotentRecordsAreNeitherLostNorDuplicatedWhileBrokersAndEnginesAreReplaced() throws Exception {
        controller.create("orders", 1);
        led("orders");
        int count = 1_500;
        CompletableFuture<Long> producing = CompletableFuture.supplyAsync(() -> {
            long last = -1;
            for (int sequence = 0; sequence < count; sequence++) {
                last = persist(sequence);
            }
            return last;
        });

        for (int swap = 0; !producing.isDone(); swap++) {
            Thread.sleep(20);
            if (swap % 2 == 0) {
                Broker old = broker;
                old.close();
                brokers.remove(old);
                broker = start();
            } else {
                broker.unbindEngine(OfferedEngine.of(engine), SCRIPTED);
                broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
            }
        }

        assertThat(get(producing)).isEqualTo(count - 1);
        assertThat(led("orders").logEndOffset()).isEqualTo(count);
    }

    /** Sends one record and retries until it is acknowledged, as a client does. */
    private long persist(int sequence) {
        while (true) {
            try {
                return get(produce(broker.partitions().leader(first("orders")), batch(1).producer(5, 0, sequence)))
                        .baseOffset();
            } catch (io.felice.api.FeliceException retriable) {
                assertThat(retriable.code())
                        .isIn(
                                ErrorCode.NOT_LEADER_OR_FOLLOWER,
                                ErrorCode.LEADER_NOT_AVAILABLE,
                                ErrorCode.KAFKA_STORAGE_ERROR,
                                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
                java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
            }
        }
    }

    @Test
    void aPartitionIsOfflineWhileItsEngineIsRemoved() {
        controller.create("orders", 1);
        Partition before = led("orders");
        get(produce(before, batch(1)));

        broker.unbindEngine(OfferedEngine.of(engine), SCRIPTED);

        refused(ErrorCode.NOT_LEADER_OR_FOLLOWER, () -> get(produce(before, batch(1))));
        assertThat(count("broker.partitions", "offline")).isEqualTo(1);
        broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
        assertThat(get(produce(led("orders"), batch(1))).baseOffset()).isEqualTo(1);
    }

    @Test
    void appendsWaitForAMissingEngineAndAreWrittenInOrder() {
        controller.create("orders", 1);
        get(produce(led("orders"), batch(1)));
        broker.unbindEngine(OfferedEngine.of(engine), SCRIPTED);
        List<CompletionStage<Appended>> waiting = new ArrayList<>();
        for (int sequence = 0; sequence < 50; sequence++) {
            waiting.add(produce(broker.partitions().leader(first("orders")), batch(1).producer(5, 0, sequence)));
        }
        assertThat(waiting).noneMatch(one -> one.toCompletableFuture().isDone());

        broker.bindEngine(OfferedEngine.of(engine), SCRIPTED);
        for (int sequence = 50; sequence < 500; sequence++) {
            waiting.add(produce(broker.partitions().leader(first("orders")), batch(1).producer(5, 0, sequence)));
        }

        for (int i = 0; i < waiting.size(); i++) {
            assertThat(get(waiting.get(i)).baseOffset()).isEqualTo(i + 1);
        }
    }

    @Test
    void deletingATopicRefusesItsWaitingAppends() {
        UUID topic = controller.create("orders", 1);
        led("orders");
        broker.unbindEngine(OfferedEngine.of(engine), SCRIPTED);
        CompletionStage<Appended> waiting = produce(broker.partitions().leader(first("orders")), batch(1));

        controller.append(new MetadataRecord.TopicDeleted(topic));

        refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, () -> get(waiting));
    }

    @Test
    void theLastViewStaysValidWithoutAClusterStore() {
        controller.create("orders", 1);
        led("orders");

        broker.unbindStore(store);

        assertThat(broker.metadata().view().topic("orders")).isPresent();
        assertThat(get(produce(broker.partitions().leader(first("orders")), batch(1)))
                        .baseOffset())
                .isZero();
        broker.bindStore(store);
        controller.create("later", 1);
        led("later");
    }

    @Test
    void topicConfigurationIsAppliedWhileRunning() {
        controller.create("orders", 1);
        get(produce(led("orders"), batch(1).valueBytes(5_000)));

        get(broker.metadata()
                .reached(get(controller.append(new MetadataRecord.ConfigSet(
                        ConfigResource.topic("orders"), TopicConfig.MAX_MESSAGE_BYTES, "1000")))));

        refused(
                ErrorCode.MESSAGE_TOO_LARGE,
                () -> get(produce(broker.partitions().leader(first("orders")), batch(1).valueBytes(5_000))));
    }

    @Test
    void recordsOlderThanTheRetentionTimeAreDeleted() {
        controller.create("orders", 1);
        get(produce(led("orders"), batch(5).timestamp(1_000)));
        get(produce(led("orders"), batch(5).timestamp(System.currentTimeMillis())));

        get(controller.append(
                new MetadataRecord.ConfigSet(ConfigResource.topic("orders"), TopicConfig.SEGMENT_BYTES, "150"),
                new MetadataRecord.ConfigSet(ConfigResource.topic("orders"), TopicConfig.RETENTION_MS, "3600000")));
        get(produce(led("orders"), batch(5).timestamp(1_000)));
        get(produce(led("orders"), batch(5).timestamp(System.currentTimeMillis())));

        assertThat(led("orders").logStartOffset()).isZero();
        get(controller.append(
                new MetadataRecord.ConfigSet(ConfigResource.topic("orders"), TopicConfig.RETENTION_MS, "0")));
        eventually(() -> assertThat(led("orders").logStartOffset()).isEqualTo(20));
    }

    @Test
    void aFetchThroughTheServiceWaitsForAnAppend() {
        controller.create("orders", 1);
        led("orders");
        CompletionStage<List<FetchedPartition>> waiting = broker.partitions()
                .fetch(new FetchPlan(
                        List.of(new FetchPlan.Want(first("orders"), 0, 1 << 20, -1, -1)),
                        1,
                        1 << 20,
                        Duration.ofSeconds(30),
                        true));

        get(produce(led("orders"), batch(1)));

        assertThat(get(waiting).get(0).records().sizeInBytes()).isPositive();
    }

    @Test
    void logDirsShowEachEngineWithItsReplicas() {
        controller.create("orders", 2);
        get(produce(led("orders"), batch(1)));

        List<LogDir> dirs = get(broker.partitions().logDirs());

        assertThat(dirs).hasSize(1);
        assertThat(dirs.get(0).volume().logDir()).isEqualTo("scripted:");
        assertThat(dirs.get(0).replicas()).hasSize(2);
        assertThat(dirs.get(0).replicas().stream()
                        .mapToLong(LogDir.ReplicaSize::sizeInBytes)
                        .sum())
                .isPositive();
    }

    @Test
    void theDataDirectoryOfAnotherNodeIsRefused() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty("felice.fatal.file", fatal.toString());
        try {
            Path data = directory.resolve("foreign");
            Files.createDirectories(data);
            Files.writeString(
                    data.resolve("felice.properties"), "node.id=3\nformat.version=1\nstore.id=" + UUID.randomUUID());
            Broker foreign = make(data, 0);
            foreign.bindStore(store.session());

            eventually(() ->
                    assertThat(fatal).content().contains("belongs to node 3").hasLineCount(1));
            assertThat(offered.offering).containsExactly(broker.partitions());
        } finally {
            System.clearProperty("felice.fatal.file");
        }
    }

    @Test
    void listenersGetEveryViewInOrder() {
        List<Long> versions = new CopyOnWriteArrayList<>();
        broker.metadata().listen((ClusterView view) -> versions.add(view.version()));
        for (int i = 0; i < 20; i++) {
            controller.create("t" + i, 1);
        }

        eventually(() ->
                assertThat(versions).last().isEqualTo(broker.metadata().view().version()));
        assertThat(versions).isSorted().doesNotHaveDuplicates();
        assertThat(versions.get(versions.size() - 1) - versions.get(0)).isEqualTo(versions.size() - 1);
    }

    @Test
    void aStoppedBrokerLeavesNoThread() {
        controller.create("orders", 1);
        get(produce(led("orders"), batch(1)));
        long before = threads();
        assertThat(before).isPositive();

        stop();

        eventually(() -> assertThat(threads()).isZero());
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("felice-broker")
                        || thread.getName().startsWith("felice-storage"))
                .count();
    }
}
