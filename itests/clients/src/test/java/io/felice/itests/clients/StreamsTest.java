package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kafka Streams counts words, at least once: through a repartition topic, into a store with a compacted changelog. An
 * application whose local state is gone restores it from the changelog.
 */
@Timeout(300)
class StreamsTest {
    private static final String STORE = "counts";
    private static final int PARTITIONS = 2;
    private static final int WORDS = 40;

    @TempDir
    static Path directory;

    private static DistributionNode node;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Map<String, Long> expected = new HashMap<>();
    private long updates;

    @BeforeAll
    static void start() {
        node = DistributionNode.in(directory);
        node.start();
        try (Admin admin = Java.admin(node.bootstrap())) {
            AlterConfigOp often =
                    new AlterConfigOp(new ConfigEntry("log.cleaner.backoff.ms", "500"), AlterConfigOp.OpType.SET);
            ConfigResource brokers = new ConfigResource(ConfigResource.Type.BROKER, "");
            Java.get(admin.incrementalAlterConfigs(Map.of(brokers, List.of(often)))
                    .all());
        }
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"log", "mvstore"})
    void anApplicationRestoresItsStoreFromTheCompactedChangelog(String engine) {
        System.out.println("StreamsTest felice.seed=" + seed);
        Names names = new Names(engine);
        Map<String, String> inEngine = Map.of("storage.engine", engine);
        Java.createTopic(node.bootstrap(), names.lines(), PARTITIONS, inEngine);
        Java.createTopic(node.bootstrap(), names.totals(), PARTITIONS, inEngine);
        try (Counting counting = new Counting(names)) {
            write(names.lines(), 500, WORDS);
            counting.mustArriveAt(expected);
        }
        Java.await("the changelog is compacted", () -> sizeOf(names.changelog()) < updates / 2);
        write(names.lines(), 100, WORDS / 2);

        try (Counting counting = new Counting(names)) {
            counting.mustArriveAt(expected);

            assertThat(counting.restored)
                    .as("records restored, of %d updates", updates)
                    .isBetween((long) WORDS, updates / 2);
        }
        assertThat(latestOf(names.totals())).isEqualTo(expected);
        assertThat(configOf(names.changelog(), "cleanup.policy")).isEqualTo("compact");
        assertThat(configOf(names.changelog(), "storage.engine")).isEqualTo(engine);
        assertThat(configOf(names.repartition(), "cleanup.policy")).isEqualTo("delete");
        assertThat(configOf(names.repartition(), "storage.engine")).isEqualTo(engine);
    }

    /** The names of an application and its topics, all in one storage engine. */
    private record Names(String engine) {
        String application() {
            return "words-in-" + engine;
        }

        String lines() {
            return "lines-in-" + engine;
        }

        String totals() {
            return "totals-in-" + engine;
        }

        String changelog() {
            return application() + "-" + STORE + "-changelog";
        }

        String repartition() {
            return application() + "-by-word-repartition";
        }
    }

    /** Each line has some of the first {@code words} words; each of those words is in a line at least once. */
    private void write(String topic, int lines, int words) {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            List<String> written = new ArrayList<>();
            for (int line = 0; line < lines / PARTITIONS; line++) {
                List<String> said = new ArrayList<>(List.of("word" + line % words));
                for (int more = random.nextInt(5); more > 0; more--) {
                    said.add("word" + random.nextInt(words));
                }
                said.forEach(word -> expected.merge(word, 1L, Long::sum));
                updates += said.size();
                written.add(String.join(" ", said));
            }
            Java.write(node.bootstrap(), topic, partition, written);
        }
    }

    private static int sizeOf(String topic) {
        int size = 0;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            size += Java.records(node.bootstrap(), topic, partition).size();
        }
        return size;
    }

    private static Map<String, Long> latestOf(String topic) {
        Map<String, Long> latest = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            for (ConsumerRecord<String, String> record : Java.records(node.bootstrap(), topic, partition)) {
                latest.put(record.key(), Long.parseLong(record.value()));
            }
        }
        return latest;
    }

    private static String configOf(String topic, String key) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try (Admin admin = Java.admin(node.bootstrap())) {
            Config config =
                    Java.get(admin.describeConfigs(List.of(resource)).all()).get(resource);
            return config.get(key).value();
        }
    }

    /** One life of the application. Its local state is deleted when it begins. */
    private final class Counting implements AutoCloseable {
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private final KafkaStreams streams;
        private volatile long restored;

        Counting(Names names) {
            StreamsBuilder builder = new StreamsBuilder();
            builder.<String, String>stream(names.lines())
                    .flatMapValues(line -> List.of(line.split(" ")))
                    .groupBy((key, word) -> word, Grouped.as("by-word"))
                    .count(Materialized.as(STORE))
                    .toStream()
                    .mapValues(count -> Long.toString(count))
                    .to(names.totals());
            streams = new KafkaStreams(builder.build(), settings(names));
            streams.setUncaughtExceptionHandler(problem -> {
                failure.compareAndSet(null, problem);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.setGlobalStateRestoreListener(new Restoring());
            streams.cleanUp();
            streams.start();
        }

        private Properties settings(Names names) {
            Properties settings = new Properties();
            settings.put(StreamsConfig.APPLICATION_ID_CONFIG, names.application());
            settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, node.bootstrap());
            settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
            settings.put(
                    StreamsConfig.STATE_DIR_CONFIG, directory.resolve("state").toString());
            settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
            settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
            settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
            // Every update goes to the changelog.
            settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
            settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
            settings.put(StreamsConfig.topicPrefix("storage.engine"), names.engine());
            // A batch must fit in a segment.
            settings.put(StreamsConfig.producerPrefix("batch.size"), 1_000);
            settings.put(StreamsConfig.topicPrefix("segment.bytes"), 3_000);
            settings.put(StreamsConfig.topicPrefix("min.cleanable.dirty.ratio"), "0.01");
            return settings;
        }

        void mustArriveAt(Map<String, Long> counts) {
            Java.await("the counts are " + counts, () -> {
                assertThat(failure.get()).isNull();
                return counts().equals(counts);
            });
        }

        private Map<String, Long> counts() {
            Map<String, Long> counts = new HashMap<>();
            try {
                ReadOnlyKeyValueStore<String, Long> store =
                        streams.store(StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.keyValueStore()));
                try (KeyValueIterator<String, Long> all = store.all()) {
                    all.forEachRemaining(count -> counts.put(count.key, count.value));
                }
            } catch (InvalidStateStoreException notYet) {
                return Map.of();
            }
            return counts;
        }

        /** A member that stays in its group would hold up the next one until its session expires. */
        @Override
        public void close() {
            streams.close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP)
                    .withTimeout(Duration.ofSeconds(30)));
        }

        /** Sums up the records of all partitions. */
        private final class Restoring implements StateRestoreListener {
            @Override
            public void onRestoreStart(TopicPartition partition, String store, long start, long end) {}

            @Override
            public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

            @Override
            public synchronized void onRestoreEnd(TopicPartition partition, String store, long total) {
                restored += total;
            }
        }
    }
}
