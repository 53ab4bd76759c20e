package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.Contents;
import io.felice.records.Batches;
import io.felice.storage.log.LogSettings;
import io.felice.storage.log.LogStorageEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import io.felice.storage.mvstore.MvStorageEngine;
import io.felice.testkit.RefusingAdmin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logs that are moved between the engines of a node while records are appended and read. */
class MovingTest {
    private static final String TOPIC = "log-orders";
    private static final TopicPartition ORDERS = new TopicPartition(TOPIC, 0);
    private static final String SLOW = "2000";
    /** The steps of a move from log to mvstore before and after which a node is killed. */
    private static final List<String> STEPS = List.of(
            "mvstore.open",
            "mvstore.append",
            "mvstore.append done",
            "mvstore.flush",
            "log.close",
            "log.delete",
            "log.delete done");

    @TempDir
    Path temp;

    private final List<Node> nodes = new ArrayList<>();
    private Node node;
    private SoloBroker solo;

    /** A broker with three engines; its directories can be copied as a kill leaves them. */
    private final class Node implements AutoCloseable {
        private final LogStorageEngine files;
        private final MvStorageEngine store;
        private final StorageEngine mvstore;
        private final SoloBroker solo;

        Node(Path root, Consumer<String> step, List<MetadataRecord> before) {
            files = new LogStorageEngine(root.resolve("logs"), LogSettings.DEFAULT);
            store = new MvStorageEngine(storeConfig(root.resolve("store")));
            Map<String, StorageEngine> engines = new LinkedHashMap<>();
            engines.put("log", SteppedEngine.of("log", files, step));
            mvstore = SteppedEngine.of("mvstore", store, step);
            engines.put("mvstore", mvstore);
            engines.put("memory", new MemoryStorageEngine(64 << 20, Clock.systemUTC()));
            solo = new SoloBroker(root.resolve("data"), engines, before);
            nodes.add(this);
        }

        @Override
        public void close() {
            solo.close();
            files.close();
            store.close();
            nodes.remove(this);
        }
    }

    @BeforeEach
    void setUp() {
        node = new Node(temp.resolve("node"), step -> {}, List.of());
        solo = node.solo;
    }

    @AfterEach
    void tearDown() {
        List.copyOf(nodes).forEach(Node::close);
    }

    private static MvStorageEngine.Config storeConfig(Path directory) {
        return (MvStorageEngine.Config) Proxy.newProxyInstance(
                MvStorageEngine.Config.class.getClassLoader(),
                new Class<?>[] {MvStorageEngine.Config.class},
                (proxy, setting, nothing) ->
                        setting.getName().equals("directory") ? directory.toString() : setting.getDefaultValue());
    }

    private Outcome<Void> move(TopicPartition partition, String engine) {
        return get(solo.broker.partitions().move(Map.of(partition, engine))).get(partition);
    }

    private void moved(String engine) {
        assertThat(move(ORDERS, engine).error()).isEqualTo(ErrorCode.NONE);
        mustArrive(solo, engine);
    }

    private static void mustArrive(SoloBroker at, String engine) {
        eventually(() -> {
            assertThat(at.engineOf(ORDERS)).isEqualTo(engine);
            assertThat(at.broker.partitions().moves()).isEmpty();
        });
    }

    private void throttle(String bytesPerSecond) {
        get(solo.broker
                .metadata()
                .reached(get(solo.append(new MetadataRecord.ConfigSet(
                        ConfigResource.allBrokers(), BrokerConfig.ALTER_LOG_DIRS_THROTTLED_RATE, bytesPerSecond)))));
    }

    private void produce(int batches) {
        for (int i = 0; i < batches; i++) {
            get(solo.produce(TOPIC, batch(3).valueBytes(500)));
        }
    }

    /** The first offset, the number of the records and the checksum of each batch. */
    private static List<String> contents(Partition partition) {
        List<String> contents = new ArrayList<>();
        long from = partition.logStartOffset();
        while (from < partition.highWatermark()) {
            try (Records records = get(partition.read(from, 1 << 20, ReadLimit.HIGH_WATERMARK))) {
                for (ByteBuffer bytes : Contents.buffersOf(records)) {
                    for (RecordBatch batch : Batches.split(bytes)) {
                        contents.add(batch.baseOffset() + "+" + batch.recordCount() + " " + batch.crc());
                        from = batch.nextOffset();
                    }
                }
            }
        }
        return contents;
    }

    private LogDir.ReplicaSize future() {
        return get(solo.broker.partitions().logDirs()).stream()
                .flatMap(dir -> dir.replicas().stream())
                .filter(LogDir.ReplicaSize::isFuture)
                .findFirst()
                .orElse(null);
    }

    @Test
    void aLogIsMovedThereAndBackWhileRecordsAreAppended() throws Exception {
        solo.create(TOPIC, Map.of());
        produce(200);
        Partition orders = solo.led(TOPIC);
        List<String> before = contents(orders);
        AtomicBoolean stop = new AtomicBoolean();
        List<Long> offsets = new ArrayList<>();
        Thread producer = new Thread(() -> {
            int sequence = 0;
            while (!stop.get()) {
                CompletionStage<Partition.Appended> one =
                        solo.produce(TOPIC, batch(2).valueBytes(100).producer(9, 0, sequence));
                offsets.add(get(one).baseOffset());
                sequence += 2;
            }
        });
        producer.start();

        moved("mvstore");
        moved("log");
        stop.set(true);
        producer.join();

        assertThat(offsets).hasSizeGreaterThan(10);
        for (int i = 0; i < offsets.size(); i++) {
            assertThat(offsets.get(i)).isEqualTo(600 + 2L * i);
        }
        assertThat(solo.led(TOPIC)).isSameAs(orders);
        assertThat(contents(orders)).startsWith(before.toArray(String[]::new)).hasSize(200 + offsets.size());
        assertThat(node.store.logs()).isEmpty();
        assertThat(node.files.logs()).hasSize(1);
    }

    @Test
    void aThrottledMoveShowsItsLagAndLeavesNothingWhenItIsCancelled() {
        solo.create(TOPIC, Map.of());
        produce(100);
        List<String> before = contents(solo.led(TOPIC));
        throttle(SLOW);
        assertThat(move(ORDERS, "mvstore").error()).isEqualTo(ErrorCode.NONE);

        eventually(() -> assertThat(future().sizeInBytes()).isPositive());
        assertThat(future().offsetLag()).isBetween(1L, 300L);
        LogMove shown = solo.broker.partitions().moves().get(0);
        assertThat(shown.partition()).isEqualTo(ORDERS);
        assertThat(List.of(shown.from(), shown.to())).containsExactly("log", "mvstore");
        produce(1);
        assertThat(move(ORDERS, "log").error()).isEqualTo(ErrorCode.NONE);

        mustArrive(solo, "log");
        assertThat(future()).isNull();
        assertThat(node.store.logs()).isEmpty();
        assertThat(contents(solo.led(TOPIC)))
                .startsWith(before.toArray(String[]::new))
                .hasSize(101);
        throttle(Long.toString(Long.MAX_VALUE));
        moved("mvstore");
        assertThat(contents(solo.led(TOPIC)))
                .startsWith(before.toArray(String[]::new))
                .hasSize(101);
    }

    @Test
    void aMoveToAnotherEngineTakesThePlaceOfOneThatIsUnderWay() {
        solo.create(TOPIC, Map.of(TopicConfig.STORAGE_DURABILITY, "none"));
        produce(100);
        List<String> before = contents(solo.led(TOPIC));
        throttle(SLOW);
        move(ORDERS, "mvstore");
        eventually(() -> assertThat(future().sizeInBytes()).isPositive());

        move(ORDERS, "memory");
        throttle(Long.toString(Long.MAX_VALUE));

        mustArrive(solo, "memory");
        assertThat(contents(solo.led(TOPIC))).isEqualTo(before);
        assertThat(node.store.logs()).isEmpty();
        assertThat(node.files.logs()).isEmpty();
    }

    @Test
    void onlyATopicWithoutDurabilityIsMovedToAnEngineThatForgets() {
        solo.create(TOPIC, Map.of());
        produce(1);

        Outcome<Void> refused = move(ORDERS, "memory");

        assertThat(refused.error()).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(refused.message()).contains("storage.durability=none");
        solo.configure(TOPIC, TopicConfig.STORAGE_DURABILITY, "none");
        moved("memory");
        moved("log");
        assertThat(contents(solo.led(TOPIC))).hasSize(1);
    }

    @Test
    void aMoveToNowhereOrOfAnUnknownPartitionIsRefused() {
        solo.create(TOPIC, Map.of());
        TopicPartition unknown = new TopicPartition("unknown", 0);

        assertThat(move(ORDERS, "tape").error()).isEqualTo(ErrorCode.LOG_DIR_NOT_FOUND);
        assertThat(move(unknown, "mvstore").error()).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(move(ORDERS, "log").error()).isEqualTo(ErrorCode.NONE);
        assertThat(solo.broker.partitions().moves()).isEmpty();
    }

    @Test
    void aTopicThatIsDeletedWhileItIsMovedLeavesNothing() {
        solo.create(TOPIC, Map.of());
        produce(100);
        throttle(SLOW);
        move(ORDERS, "mvstore");
        eventually(() -> assertThat(future().sizeInBytes()).isPositive());

        solo.delete(TOPIC);

        eventually(() -> {
            assertThat(solo.broker.partitions().moves()).isEmpty();
            assertThat(node.store.logs()).isEmpty();
            assertThat(node.files.logs()).isEmpty();
        });
        assertThat(temp.resolve("node/data/copies/mvstore")).isEmptyDirectory();
    }

    @Test
    void recordsThatAreDeletedWhileALogIsMovedStayDeleted() {
        solo.create(TOPIC, Map.of());
        produce(50);
        get(solo.led(TOPIC).deleteRecords(20));
        throttle(SLOW);
        move(ORDERS, "mvstore");
        eventually(() -> assertThat(future().sizeInBytes()).isPositive());
        get(solo.led(TOPIC).deleteRecords(121));
        throttle(Long.toString(Long.MAX_VALUE));

        mustArrive(solo, "mvstore");

        assertThat(solo.led(TOPIC).logStartOffset()).isEqualTo(121);
        assertThat(contents(solo.led(TOPIC))).hasSize(10);
        assertThat(get(solo.produce(TOPIC, batch(1))).baseOffset()).isEqualTo(150);
    }

    @Test
    void aMoveGoesOnWhenItsEngineIsBack() {
        solo.create(TOPIC, Map.of());
        produce(100);
        throttle(SLOW);
        move(ORDERS, "mvstore");
        eventually(() -> assertThat(future().sizeInBytes()).isPositive());
        OfferedEngine offered = OfferedEngine.of(node.mvstore);
        Map<String, Object> name = Map.of(StorageEngine.NAME, "mvstore");

        solo.broker.unbindEngine(offered, name);
        produce(1);
        throttle(Long.toString(Long.MAX_VALUE));
        assertThat(solo.broker.partitions().moves()).hasSize(1);
        assertThat(solo.engineOf(ORDERS)).isEqualTo("log");
        solo.broker.bindEngine(offered, name);

        mustArrive(solo, "mvstore");
        assertThat(contents(solo.led(TOPIC))).hasSize(101);
    }

    @Test
    void theConfigOfATopicNamesTheEngineToWhichAllItsLogsWereMoved() {
        List<String> changes = new CopyOnWriteArrayList<>();
        solo.create(TOPIC, Map.of(TopicConfig.STORAGE_ENGINE, "log"));
        solo.broker.bindAdmin(new RefusingAdmin("a move") {
            @Override
            public CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
                    Map<ConfigResource, List<ConfigChange>> wanted, boolean validateOnly) {
                changes.add("alterConfigs " + wanted);
                return new CompletableFuture<>();
            }
        });

        moved("mvstore");

        eventually(() -> assertThat(changes).hasSize(1));
        assertThat(changes.get(0))
                .startsWith("alterConfigs")
                .contains("key=storage.engine", "operation=SET", "value=mvstore");
    }

    // ---- a kill at each step

    private void copyTree(Path from, Path to) {
        try (Stream<Path> found = Files.walk(from)) {
            for (Path file : (Iterable<Path>) found::iterator) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else if (!file.getFileName().toString().endsWith(".lock")) {
                    Files.copy(file, copy);
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static List<MetadataRecord> topic(UUID id, int epoch) {
        return List.of(
                new MetadataRecord.TopicCreated(id, TOPIC),
                new MetadataRecord.PartitionChanged(
                        id,
                        0,
                        new PartitionState(List.of(0), List.of(0), List.of(), List.of(), 0, epoch, epoch, false)));
    }

    /** The directories are copied before and after some calls of the engines, as a kill leaves them. */
    @Test
    void afterAKillAtAnyStepTheRecordsAreInOneEngineAndTheMoveEnds() {
        Map<String, Path> images = new HashMap<>();
        AtomicBoolean moving = new AtomicBoolean();
        UUID id = UUID.randomUUID();
        Node first = new Node(
                temp.resolve("first"),
                step -> {
                    synchronized (images) {
                        if (moving.get() && STEPS.contains(step) && !images.containsKey(step)) {
                            Path image = temp.resolve("image-" + images.size());
                            copyTree(temp.resolve("first"), image);
                            images.put(step, image);
                        }
                    }
                },
                topic(id, 0));
        solo = first.solo;
        for (int i = 0; i < 5; i++) {
            get(solo.produce(TOPIC, batch(2).producer(7, 0, 2 * i)));
        }
        List<String> before = contents(solo.led(TOPIC));
        moving.set(true);
        moved("mvstore");
        moving.set(false);
        first.close();

        assertThat(images).containsOnlyKeys(STEPS);
        images.forEach((step, image) -> {
            try (Node next = new Node(image, unused -> {}, topic(id, 1))) {
                assertThat(contents(next.solo.led(TOPIC))).as(step).isEqualTo(before);
                long duplicate = get(next.solo.produce(TOPIC, batch(2).producer(7, 0, 8)))
                        .baseOffset();
                assertThat(duplicate).as(step).isEqualTo(8);
                assertThat(get(next.solo.produce(TOPIC, batch(1))).baseOffset())
                        .as(step)
                        .isEqualTo(10);
                eventually(() -> assertThat(next.solo.broker.partitions().moves())
                        .as(step)
                        .isEmpty());
                eventually(() -> assertThat(
                                next.store.logs().size() + next.files.logs().size())
                        .as(step)
                        .isEqualTo(1));
                assertThat(contents(next.solo.led(TOPIC))).as(step).hasSize(6);
            }
        });
    }
}
