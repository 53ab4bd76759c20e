package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A million updates of a thousand keys become the thousand latest, in every engine of the distribution. */
@Timeout(300)
class CompactedTopicTest {
    private static final int UPDATES = 1_000_000;
    private static final int KEYS = 1_000;
    private static final int SEGMENT_BYTES = 1 << 20;
    /** The latest records with the headers of their batches; all updates together have about 30 MB. */
    private static final long MOST_BYTES_LEFT = 200_000;
    /** A compacted topic rolls its active segment, which is not compacted, at the first record after this time. */
    private static final long MAX_COMPACTION_LAG_MS = 2_000;

    @TempDir
    static Path directory;

    private static DistributionNode node;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());

    @BeforeAll
    static void start() {
        node = DistributionNode.in(directory);
        node.start();
        try (Admin admin = Java.admin(node.bootstrap())) {
            AlterConfigOp often =
                    new AlterConfigOp(new ConfigEntry("log.cleaner.backoff.ms", "200"), AlterConfigOp.OpType.SET);
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
    @ValueSource(strings = {"log", "memory", "mvstore"})
    void everyClientReadsTheLatestRecordOfEachKeyAndNoOther(String engine) throws IOException {
        System.out.println("CompactedTopicTest -Dfelice.seed=" + seed);
        String topic = "states-in-" + engine;
        Java.createTopic(
                node.bootstrap(),
                topic,
                1,
                Map.of(
                        "cleanup.policy",
                        "compact",
                        "storage.engine",
                        engine,
                        "segment.bytes",
                        Integer.toString(SEGMENT_BYTES),
                        "min.cleanable.dirty.ratio",
                        "0.01",
                        "max.compaction.lag.ms",
                        Long.toString(MAX_COMPACTION_LAG_MS)));
        List<String> latest = update(topic);

        Java.await("the topic is small", () -> sizeOf(topic) < MOST_BYTES_LEFT);
        Java.await(
                "all but the last segment is compacted",
                () -> Java.values(node.bootstrap(), topic, 0).size() == latest.size());

        for (Client client : Client.values()) {
            Path output = directory.resolve(engine + "-" + client);
            client.consume(node.bootstrap(), latest.size(), Map.of(topic, output));
            assertThat(Files.readAllLines(output, UTF_8))
                    .as("read by %s", client)
                    .isEqualTo(latest);
        }
    }

    /** Returns the latest values in the order of their offsets. A last record lets the active segment be rolled. */
    private List<String> update(String topic) {
        Random random = new Random(seed);
        Map<String, String> latest = new LinkedHashMap<>();
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (KafkaProducer<String, String> producer =
                Java.textProducer(node.bootstrap(), Map.of("linger.ms", "5", "batch.size", "65536"))) {
            for (int i = 0; i < UPDATES; i++) {
                String key = "key-" + random.nextInt(KEYS);
                String value = key + "=" + i;
                latest.remove(key);
                latest.put(key, value);
                producer.send(new ProducerRecord<>(topic, 0, key, value), (metadata, problem) -> {
                    if (problem != null) {
                        failure.set(problem);
                    }
                });
            }
            producer.flush();
            assertThat(failure.get()).isNull();
            sleep(MAX_COMPACTION_LAG_MS);
            Java.get(producer.send(new ProducerRecord<>(topic, 0, "end", "end")));
        }
        assertThat(latest).hasSize(KEYS);
        List<String> values = new ArrayList<>(latest.values());
        values.add("end");
        return values;
    }

    private static long sizeOf(String topic) {
        try (Admin admin = Java.admin(node.bootstrap())) {
            return Java.get(admin.describeLogDirs(List.of(0)).allDescriptions()).get(0).values().stream()
                    .map(engine -> engine.replicaInfos().get(new TopicPartition(topic, 0)))
                    .filter(replica -> replica != null)
                    .mapToLong(replica -> replica.size())
                    .sum();
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
