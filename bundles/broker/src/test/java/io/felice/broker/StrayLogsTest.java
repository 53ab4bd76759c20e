package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.Configs;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.Strays;
import io.felice.api.partition.Strays.StrayTopic;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.CheckpointFile;
import io.felice.broker.partition.Epochs;
import io.felice.broker.partition.PartitionFiles;
import io.felice.broker.partition.ScriptedEngine;
import io.felice.testkit.MemoryClusterStore;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A log is not stray before this node has read all topics. A stray log is deleted only if this node knows that its
 * topic was deleted.
 */
class StrayLogsTest {
    private static final LogId KEPT = new LogId(UUID.randomUUID(), 0, "kept");
    private static final LogId GONE = new LogId(UUID.randomUUID(), 0, "gone");

    @TempDir
    Path directory;

    private final MemoryClusterStore store = new MemoryClusterStore();
    private final ScriptedEngine engine = new ScriptedEngine(Clock.systemUTC());
    private final CompletableFuture<ClusterStore.Term> term = new CompletableFuture<>();
    private final CompletableFuture<MetadataRecord> registered = new CompletableFuture<>();
    private Broker broker;

    private void start() {
        Broker.Services none = new Broker.Services() {
            @Override
            public void offer(
                    Partitions partitions,
                    FollowedPartitions followed,
                    ClusterMetadata metadata,
                    Configs configs,
                    Strays strays) {}

            @Override
            public void withdraw() {}
        };
        Map<String, Object> file = Map.of("storage.placement", "*:scripted");
        broker = new Broker(config(), file, none, Clock.systemUTC(), System::nanoTime, new Random(1));
    }

    @AfterEach
    void tearDown() {
        broker.close();
        store.close();
    }

    @BeforeEach
    void setUp() {
        for (LogId id : List.of(KEPT, GONE)) {
            PartitionLog log = engine.open(id, 1);
            log.append(batch(5).at(0));
            log.close();
        }
    }

    /** Writes files for the log, as if this node had used the log in this cluster. */
    private void remember(LogId id) throws IOException {
        Path state = directory.resolve("data/state/scripted/" + id.topicId() + "-" + id.partition());
        new PartitionFiles(state).writeEpochs(List.of(new Epochs.Entry(0, 0)));
    }

    @Test
    void aLogIsNotDeletedBeforeTheViewHasAllTopics() throws IOException {
        remember(GONE);

        startWithTheTopicKept();

        eventually(() -> assertThat(engine.logs()).doesNotContain(GONE));
        eventually(() -> assertThat(broker.partitions()
                        .leader(new TopicPartition("kept", 0))
                        .logEndOffset())
                .isEqualTo(5));
        assertThat(engine.deleted).containsExactly(GONE);
        assertThat(engine.setAside).isEmpty();
    }

    @Test
    void aLogThatThisNodeNeverUsedIsSetAsideAndNotDeleted() {
        startWithTheTopicKept();

        eventually(() -> assertThat(engine.setAside).containsExactly(GONE));
        assertThat(engine.deleted).isEmpty();
        assertThat(get(broker.strays().list()))
                .containsExactly(new StrayTopic(GONE.topicId(), "gone", "scripted", List.of(0), "scripted:"));
    }

    @Test
    void logsOfTopicsThatOlderMetadataLacksAreNotDeleted() throws IOException {
        remember(GONE);
        CheckpointFile.write(directory.resolve("data/metadata-version"), List.of("1000"));

        startWithTheTopicKept();

        eventually(() -> assertThat(engine.setAside).containsExactly(GONE));
        broker.close();
        assertThat(engine.deleted).isEmpty();
        assertThat(directory.resolve("data/metadata-version"))
                .content()
                .doesNotContain("1000")
                .startsWith("0\n1\n10");
    }

    @Test
    void anUnreadableMetadataVersionDeletesNoLog() throws IOException {
        remember(GONE);
        Files.writeString(directory.resolve("data/metadata-version"), "rubbish");

        startWithTheTopicKept();

        eventually(() -> assertThat(engine.setAside).containsExactly(GONE));
        assertThat(engine.deleted).isEmpty();
    }

    @Test
    void anOperatorDeletesAStrayTopic() {
        startWithTheTopicKept();
        eventually(() -> assertThat(engine.setAside).containsExactly(GONE));

        get(broker.strays().delete(GONE.topicId()));

        assertThat(engine.deleted).containsExactly(GONE);
        assertThat(get(broker.strays().list())).isEmpty();
        refused(ErrorCode.UNKNOWN_TOPIC_ID, () -> get(broker.strays().delete(KEPT.topicId())));
    }

    private void startWithTheTopicKept() {
        start();
        store.campaign(new SlowController());
        broker.bindStore(store);
        broker.bindEndpoints(() -> List.of(new Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", 9092)));
        MetadataRecord registration = get(registered);
        get(broker.metadata().reached(get(append(new MetadataRecord.ClusterNamed("c1")))));
        broker.bindEngine(OfferedEngine.of(engine), Map.of(StorageEngine.NAME, "scripted"));
        for (int i = 0; i < 100; i++) {
            get(broker.metadata()
                    .reached(get(append(new MetadataRecord.TopicCreated(UUID.randomUUID(), "other-" + i)))));
        }

        get(append(
                new MetadataRecord.TopicCreated(KEPT.topicId(), "kept"),
                new MetadataRecord.PartitionChanged(
                        KEPT.topicId(), 0, PartitionState.created(List.of(0), List.of(0), 0)),
                registration));
    }

    private CompletionStage<Long> append(MetadataRecord... records) {
        return term.thenCompose(now -> now.append(List.of(records)));
    }

    /** A controller that registers brokers only when the test says so. */
    private final class SlowController implements ClusterStore.Candidate {
        @Override
        public void elected(ClusterStore.Term newTerm) {
            term.complete(newTerm);
        }

        @Override
        public void deposed() {}

        @Override
        public void brokers(List<ClusterStore.LiveRegistration> live) {
            live.forEach(one -> registered.complete(new MetadataRecord.BrokerRegistered(one.broker(), one.epoch())));
        }
    }

    private Broker.Config config() {
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
                return directory.resolve("data").toString();
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
                return 0;
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
}
