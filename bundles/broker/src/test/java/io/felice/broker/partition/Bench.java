package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
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
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.testkit.TestBatches;
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
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** One partition with an engine, a clock that a test moves, and the other objects that a partition needs. */
public class Bench implements AutoCloseable {
    public static final UUID TOPIC_ID = new UUID(7, 7);
    public static final LogId ID = new LogId(TOPIC_ID, 0, "orders");
    public static final TopicPartition ORDERS = new TopicPartition("orders", 0);
    public static final long START_MS = 1_700_000_000_000L;

    public final AtomicLong nowMs = new AtomicLong(START_MS);
    public final AtomicLong nanos = new AtomicLong();
    /** By how many milliseconds the clock moves each time it is read. */
    public volatile long msPerLook;

    public final Clock clock = new Clock() {
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
    public final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    public final ScriptedEngine engine;
    public final MountedEngine mounted;
    public final Environment environment;
    public final Map<String, String> config = new HashMap<>();
    public final Map<String, String> brokerConfig = new HashMap<>();
    public final Map<TopicPartition, LeaderPartition> leaders = new ConcurrentHashMap<>();
    public final List<OpenedLog> dead = new CopyOnWriteArrayList<>();
    public final BatchAdmission admission = new BatchAdmission();

    /** Without a limit unless {@link #brokerConfig} has one. */
    public final CompactionLimits compaction =
            new CompactionLimits(() -> BrokerConfig.with(brokerConfig), Long.MAX_VALUE, 1);

    public final Path directory;
    public volatile Executor background = Runnable::run;
    private final List<MountedEngine> engines = new CopyOnWriteArrayList<>();
    private long lease;
    /** The files of the partition that was opened last. */
    public volatile PartitionFiles files;
    /** Of the partition that was opened last. */
    public volatile ProducerLimits producerLimits;

    public Bench(Path directory) {
        this(directory, null);
    }

    /** @param logs the engine inside the scripted one; null for the memory engine */
    public Bench(Path directory, StorageEngine logs) {
        this(directory, logs, 0);
    }

    public Bench(Path directory, StorageEngine logs, int brokerId) {
        this.directory = directory;
        this.engine = logs == null ? new ScriptedEngine(clock) : new ScriptedEngine(logs);
        this.environment =
                new Environment(brokerId, clock, nanos::get, timer, task -> background.execute(task), new Random(1));
        this.mounted = mount();
    }

    public MountedEngine mount() {
        MountedEngine fresh = OfferedEngine.mounted("scripted", engine, 2, nanos::get);
        engines.add(fresh);
        return fresh;
    }

    /** Moves the wall clock and the monotonic clock. */
    public void pass(long ms) {
        nowMs.addAndGet(ms);
        nanos.addAndGet(ms * 1_000_000);
    }

    public Bench with(String key, Object value) {
        config.put(key, value.toString());
        return this;
    }

    /** Opens the partition as after a start, without closing the one that was open before. */
    public LeaderPartition open(int epoch) {
        return open(ID, epoch);
    }

    public LeaderPartition open(LogId id, int epoch) {
        OpenedLog log = opened(id, ++lease);
        LeaderPartition partition = log.lead(state(epoch), admission, new AloneHost());
        leaders.put(partition.id(), partition);
        return partition;
    }

    /** Opens the log without a role. */
    public OpenedLog openLog() {
        return opened(ID, ++lease);
    }

    private OpenedLog opened(LogId id, long underLease) {
        BrokerConfig broker = BrokerConfig.with(brokerConfig);
        ProducerLimits limits = new ProducerLimits(() -> broker);
        producerLimits = limits;
        TopicConfig topic = TopicConfig.with(config);
        files = new PartitionFiles(directory.resolve(id.topicId() + "-" + id.partition()));
        return new LogOpening(environment, limits, compaction)
                .open(mounted, files, id, underLease, topic, 0, () -> {}, (died, cause) -> dead.add(died));
    }

    /** Replays the same log as an opening does. The open partition stays the owner of the log. */
    OpenedLog replay() {
        return opened(ID, lease);
    }

    public static PartitionState state(int epoch) {
        return new PartitionState(List.of(0), List.of(0), List.of(), List.of(), 0, epoch, epoch, false);
    }

    public LeaderPartition leader(TopicPartition partition) {
        return leaders.get(partition);
    }

    public static CompletionStage<Appended> produce(LeaderPartition partition, TestBatches batch) {
        return produce(partition, batch.at(0));
    }

    public static CompletionStage<Appended> produce(LeaderPartition partition, RecordBatch batch) {
        return produce(partition, batch.bytes());
    }

    public static CompletionStage<Appended> produce(LeaderPartition partition, ByteBuffer bytes) {
        return partition.append(bytes, Acks.ALL, Origin.CLIENT, Duration.ofSeconds(30), Turn.IMMEDIATE);
    }

    /** Waits for a stage; returns its value, or throws its failure without a wrapper. */
    public static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof RuntimeException bare ? bare : new IllegalStateException(failed);
        } catch (InterruptedException | TimeoutException late) {
            throw new IllegalStateException(late);
        }
    }

    public static void eventually(Runnable assertion) {
        await().atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(assertion::run);
    }

    public static void refused(ErrorCode code, ThrowingCallable call) {
        assertThat(catchThrowable(call))
                .isInstanceOf(FeliceException.class)
                .extracting(FeliceException::codeOf)
                .isEqualTo(code);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        admission.close();
        engines.forEach(MountedEngine::close);
    }
}
