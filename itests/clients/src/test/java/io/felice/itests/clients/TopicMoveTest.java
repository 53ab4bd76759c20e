package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import io.felice.itests.rig.NodeProcess;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics that Kafka's clients and tools move from one storage engine to another while they are used. */
class TopicMoveTest {
    private static final String KEYED = "keyed";
    private static final String OFFSETS = "__consumer_offsets";
    private static final int KEYS = 50;
    private static final int KILLS = Integer.getInteger("felice.kills", 8);
    private static final int LONGEST_LIFE_MS = 1_000;

    @TempDir
    Path directory;

    @Test
    @Timeout(300)
    void topicsAreMovedThereAndBackUnderLoadAndNothingIsLostDoubledOrReordered() throws Exception {
        try (FeliceNode felice = FeliceNode.in(directory.resolve("node"))
                        .config("io.felice.broker", "offsets.topic.num.partitions", 2)
                        .config("io.felice.broker", "log.cleaner.backoff.ms", 100)
                        .start();
                Admin admin = Java.admin(felice.bootstrap());
                SteadyLoad load =
                        SteadyLoad.on(felice.bootstrap(), Map.of("storage.engine", "log", "segment.bytes", "20000"))) {
            ReplicaMoves moves = new ReplicaMoves(admin);
            Java.createTopic(
                    felice.bootstrap(),
                    KEYED,
                    1,
                    Map.of("cleanup.policy", "compact", "segment.bytes", "10000", "min.cleanable.dirty.ratio", "0.01"));
            try (KeyedLoad keyed = new KeyedLoad(felice.bootstrap())) {
                load.mustBeUnderWay();

                moves.move(SteadyLoad.TOPIC, SteadyLoad.PARTITIONS, "mvstore");
                moves.move(KEYED, 1, "mvstore");
                moves.move(OFFSETS, 2, "mvstore");
                Java.await("the config names the other engine", () -> configOf(admin, SteadyLoad.TOPIC)
                        .equals("mvstore"));
                load.mustGoOn("the move to mvstore");
                String done = reassign(felice.bootstrap(), moves.logDir("log"));
                moves.mustArrive(SteadyLoad.TOPIC, SteadyLoad.PARTITIONS, "log");
                moves.move(KEYED, 1, "log");
                moves.move(OFFSETS, 2, "log");
                load.mustGoOn("the move to log");

                assertThat(done).contains("Successfully started moving log directory");
                assertThat(reassignment(felice.bootstrap(), "--verify"))
                        .contains("is complete")
                        .doesNotContain("still in progress");
                Java.await("the config names the engine", () -> configOf(admin, SteadyLoad.TOPIC)
                        .equals("log"));
                keyed.stopAndVerify();
            }
            load.stopAndVerify();
            System.out.println("moved " + felice.status("broker.moved").rows() + ", " + load.acknowledged()
                    + " records acknowledged");
        }
    }

    @Test
    @Timeout(600)
    void nothingIsLostWhenANodeIsKilledWhileTopicsAreMoved() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        Random random = new Random(seed);
        System.out.println("TopicMoveTest felice.seed=" + seed);
        try (NodeProcess node = NodeProcess.in(directory.resolve("node"))) {
            node.start();
            try (SteadyLoad load = SteadyLoad.on(node.bootstrap(), Map.of("segment.bytes", "50000"))) {
                load.mustBeUnderWay();
                for (int kill = 1; kill <= KILLS; kill++) {
                    String when = "kill " + kill + ", seed " + seed;
                    try (Admin admin = Java.admin(node.bootstrap())) {
                        ReplicaMoves moves = new ReplicaMoves(admin);
                        for (int partition = 0; partition < SteadyLoad.PARTITIONS; partition++) {
                            if (random.nextInt(3) > 0) {
                                moves.begin(SteadyLoad.TOPIC, partition, random.nextBoolean() ? "mvstore" : "log");
                            }
                        }
                    }
                    sleep(random.nextInt(LONGEST_LIFE_MS));
                    node.kill();
                    load.holdCommits();
                    node.start();
                    load.mustGoOn(when);
                }
                try (Admin admin = Java.admin(node.bootstrap())) {
                    ReplicaMoves moves = new ReplicaMoves(admin);
                    moves.move(SteadyLoad.TOPIC, SteadyLoad.PARTITIONS, "mvstore");
                    moves.move(SteadyLoad.TOPIC, SteadyLoad.PARTITIONS, "log");
                }
                load.stopAndVerify();
                assertThat(load.acknowledged()).isGreaterThan(10L * KILLS);
            }
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private static String configOf(Admin admin, String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return Java.get(admin.describeConfigs(List.of(resource)).all())
                .get(resource)
                .get("storage.engine")
                .value();
    }

    /** Moves the load's topic with Kafka's own tool. */
    private String reassign(String bootstrap, String logDir) throws IOException {
        List<String> partitions = new ArrayList<>();
        for (int partition = 0; partition < SteadyLoad.PARTITIONS; partition++) {
            partitions.add("{\"topic\":\"" + SteadyLoad.TOPIC + "\",\"partition\":" + partition
                    + ",\"replicas\":[0],\"log_dirs\":[\"" + logDir + "\"]}");
        }
        Files.writeString(
                directory.resolve("moves.json"),
                "{\"version\":1,\"partitions\":[" + String.join(",", partitions) + "]}");
        return reassignment(bootstrap, "--execute");
    }

    private String reassignment(String bootstrap, String what) {
        return KafkaTools.REASSIGN_PARTITIONS.run(
                "--bootstrap-server",
                bootstrap,
                "--reassignment-json-file",
                directory.resolve("moves.json").toString(),
                what);
    }

    /** A producer that writes the values of some keys again and again, and deletes some. */
    private static final class KeyedLoad implements AutoCloseable {
        private final String bootstrap;
        private final Map<String, String> latest = new TreeMap<>();
        private final AtomicBoolean stop = new AtomicBoolean();
        private final Thread thread = new Thread(this::produce, "keyed-load");
        private volatile Exception failure;

        KeyedLoad(String bootstrap) {
            this.bootstrap = bootstrap;
            thread.start();
        }

        private void produce() {
            try (KafkaProducer<String, String> producer = Java.textProducer(bootstrap, Map.of("linger.ms", 1))) {
                for (int i = 0; !stop.get(); i++) {
                    String key = "k" + i % KEYS;
                    String value = i % 7 == 0 ? null : "v" + i;
                    producer.send(new ProducerRecord<>(KEYED, 0, key, value)).get();
                    latest.put(key, String.valueOf(value));
                }
            } catch (Exception problem) {
                failure = problem;
            }
        }

        void stopAndVerify() {
            close();
            assertThat(failure).isNull();
            Map<String, String> read = new TreeMap<>();
            Java.records(bootstrap, KEYED, 0).forEach(record -> read.put(record.key(), String.valueOf(record.value())));
            latest.forEach((key, value) -> assertThat(read.getOrDefault(key, "null"))
                    .as("the latest value of %s", key)
                    .isEqualTo(value));
        }

        @Override
        public void close() {
            stop.set(true);
            try {
                thread.join(Duration.ofSeconds(30).toMillis());
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }
}
