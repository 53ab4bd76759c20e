package io.felice.broker;

import static org.awaitility.Awaitility.await;

import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import io.felice.testkit.Batches;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** A workbench for one partition: an engine, a clock that a test moves, and the parts around a partition. */
class Bench implements AutoCloseable {
    static final UUID TOPIC_ID = new UUID(7, 7);
    static final LogId ID = new LogId(TOPIC_ID, 0, "orders");
    static final TopicPartition ORDERS = new TopicPartition("orders", 0);
    static final long START_MS = 1_700_000_000_000L;

    final AtomicLong nowMs = new AtomicLong(START_MS);
    final AtomicLong nanos = new AtomicLong();
    /** By how much the clock moves each time somebody looks. */
    volatile long msPerLook;

    final Clock clock = new Clock() {
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
            return Instant.ofEpochMilli(nowMs.addAndGet(msPerLook));
        }
    };
    final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    final ScriptedEngine engine;
    final MountedEngine mounted;
    final Node node;
    final Map<String, String> config = new HashMap<>();
    final Map<String, String> brokerConfig = new HashMap<>();
    final Map<TopicPartition, LeaderPartition> leaders = new ConcurrentHashMap<>();
    final List<LeaderPartition> dead = new CopyOnWriteArrayList<>();
    final Path directory;
    volatile Executor background = Runnable::run;
    private final List<MountedEngine> engines = new CopyOnWriteArrayList<>();
    private long lease;
    /** Of the partition that was opened last. */
    volatile PartitionFiles files;

    Bench(Path directory) {
        this(directory, null);
    }

    /** @param logs the engine that is scripted; null for one in memory */
    Bench(Path directory, StorageEngine logs) {
        this.directory = directory;
        this.engine = logs == null ? new ScriptedEngine(clock) : new ScriptedEngine(logs);
        this.node = new Node(0, clock, nanos::get, timer, task -> background.execute(task), new Random(1));
        this.mounted = mount();
    }

    MountedEngine mount() {
        MountedEngine fresh = new MountedEngine("scripted", engine, 2, nanos::get);
        engines.add(fresh);
        return fresh;
    }

    Bench with(String key, Object value) {
        config.put(key, value.toString());
        return this;
    }

    /** Opens the partition, as after a start; what was open before is not closed. */
    LeaderPartition open(int epoch) {
        return open(ID, epoch);
    }

    LeaderPartition open(LogId id, int epoch) {
        BrokerConfig broker = BrokerConfig.with(brokerConfig);
        BrokerLimits limits = new BrokerLimits(() -> broker);
        TopicConfig topic = TopicConfig.with(config);
        files = new PartitionFiles(directory.resolve(id.topicId() + "-" + id.partition()));
        LeaderPartition.Opened opened =
                new PartitionOpening(node, limits).open(mounted, files, id, epoch, ++lease, topic, true, 0);
        LeaderPartition partition = new LeaderPartition(
                opened, node, mounted, state(epoch), topic, limits, () -> {}, (died, cause) -> dead.add(died));
        leaders.put(partition.id(), partition);
        return partition;
    }

    static PartitionState state(int epoch) {
        return new PartitionState(List.of(0), List.of(0), List.of(), List.of(), 0, epoch, epoch, false);
    }

    LeaderPartition leader(TopicPartition partition) {
        return leaders.get(partition);
    }

    static CompletionStage<Appended> produce(LeaderPartition partition, Batches batch) {
        return produce(partition, batch.at(0));
    }

    static CompletionStage<Appended> produce(LeaderPartition partition, RecordBatch batch) {
        return produce(partition, batch.bytes());
    }

    static CompletionStage<Appended> produce(LeaderPartition partition, ByteBuffer bytes) {
        return partition.append(bytes, Acks.ALL, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    /** Waits for a stage and gives its value or throws its failure bare. */
    static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof RuntimeException bare ? bare : new IllegalStateException(failed);
        } catch (InterruptedException | TimeoutException late) {
            throw new IllegalStateException(late);
        }
    }

    static void eventually(Runnable assertion) {
        await().atMost(Duration.ofSeconds(20)).ignoreExceptions().untilAsserted(assertion::run);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        engines.forEach(MountedEngine::close);
    }
}
