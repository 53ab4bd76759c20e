package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.testkit.FeliceNode;
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
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Serdes;
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
    private static final String APPLICATION = "words";
    private static final String STORE = "counts";
    private static final String CHANGELOG = APPLICATION + "-" + STORE + "-changelog";
    private static final String REPARTITION = APPLICATION + "-by-word-repartition";
    private static final String LINES = "lines";
    private static final String TOTALS = "totals";
    private static final int PARTITIONS = 2;
    private static final int WORDS = 40;

    @TempDir
    Path directory;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Map<String, Long> expected = new HashMap<>();
    private long updates;

    @ParameterizedTest
    @ValueSource(strings = {"log"})
    void anApplicationRestoresItsStoreFromTheCompactedChangelog(String engine) {
        System.out.println("StreamsTest felice.seed=" + seed);
        try (Node node = start(engine)) {
            Java.createTopic(node.bootstrap(), LINES, PARTITIONS, Map.of());
            Java.createTopic(node.bootstrap(), TOTALS, PARTITIONS, Map.of());
            try (Counting counting = new Counting(node.bootstrap())) {
                write(node, 500, WORDS);
                counting.mustArriveAt(expected);
            }
            Java.await("the changelog is compacted", () -> sizeOf(node, CHANGELOG) < updates / 2);
            write(node, 100, WORDS / 2);

            try (Counting counting = new Counting(node.bootstrap())) {
                counting.mustArriveAt(expected);

                assertThat(counting.restored)
                        .as("records restored, of %d updates", updates)
                        .isBetween((long) WORDS, updates / 2);
            }
            assertThat(latestTotals(node)).isEqualTo(expected);
            assertThat(policyOf(node, CHANGELOG)).isEqualTo("compact");
            assertThat(policyOf(node, REPARTITION)).isEqualTo("delete");
        }
    }

    private Node start(String engine) {
        return Node.of(FeliceNode.in(directory.resolve("node"))
                .config("io.felice.broker", "storage.placement", "*:" + engine)
                .config("io.felice.broker", "log.cleaner.backoff.ms", "500"));
    }

    /** Each line has some of the first {@code words} words; each of those words is in a line at least once. */
    private void write(Node node, int lines, int words) {
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
            Java.write(node.bootstrap(), LINES, partition, written);
        }
    }

    private static int sizeOf(Node node, String topic) {
        int size = 0;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            size += Java.records(node.bootstrap(), topic, partition).size();
        }
        return size;
    }

    private static Map<String, Long> latestTotals(Node node) {
        Map<String, Long> latest = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            for (ConsumerRecord<String, String> record : Java.records(node.bootstrap(), TOTALS, partition)) {
                latest.put(record.key(), Long.parseLong(record.value()));
            }
        }
        return latest;
    }

    private static String policyOf(Node node, String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try (Admin admin = Java.admin(node.bootstrap())) {
            Config config =
                    Java.get(admin.describeConfigs(List.of(resource)).all()).get(resource);
            return config.get("cleanup.policy").value();
        }
    }

    /** One life of the application. Its local state is deleted when it begins. */
    private final class Counting implements AutoCloseable {
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private final KafkaStreams streams;
        private volatile long restored;

        Counting(String bootstrap) {
            StreamsBuilder builder = new StreamsBuilder();
            builder.<String, String>stream(LINES)
                    .flatMapValues(line -> List.of(line.split(" ")))
                    .groupBy((key, word) -> word, Grouped.as("by-word"))
                    .count(Materialized.as(STORE))
                    .toStream()
                    .mapValues(count -> Long.toString(count))
                    .to(TOTALS);
            streams = new KafkaStreams(builder.build(), settings(bootstrap));
            streams.setUncaughtExceptionHandler(problem -> {
                failure.compareAndSet(null, problem);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.setGlobalStateRestoreListener(new Restoring());
            streams.cleanUp();
            streams.start();
        }

        private Properties settings(String bootstrap) {
            Properties settings = new Properties();
            settings.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION);
            settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
            settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
            settings.put(
                    StreamsConfig.STATE_DIR_CONFIG, directory.resolve("state").toString());
            settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
            settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
            settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
            // Every update goes to the changelog.
            settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
            settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
            settings.put(StreamsConfig.topicPrefix("segment.bytes"), 10_000);
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

        @Override
        public void close() {
            streams.close(Duration.ofSeconds(30));
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
