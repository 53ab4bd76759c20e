package io.felice.itests.container;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bundles of a node under load are updated while it runs, and its clients notice only a pause. Connections stay open,
 * with one exception: Kafka's consumer closes the connection to its coordinator when the coordinator answers
 * NOT_COORDINATOR, and looks up the coordinator again. This may happen once for each update of a bundle that the
 * coordinator depends on.
 */
class SwapTest {
    /** The engines that keep records in files. */
    private static final List<String> ENGINES = List.of("log", "mvstore");

    private static final List<String> UNNOTICED = List.of(
            "io.felice.handlers",
            "io.felice.security",
            "io.felice.coordinator",
            "io.felice.broker",
            "io.felice.controller",
            "io.felice.replication",
            "io.felice.cluster.zookeeper",
            "io.felice.storage.log",
            "io.felice.storage.mvstore",
            "io.felice.config");
    private static final List<String> SEVERAL = List.of(
            "io.felice.handlers",
            "io.felice.coordinator",
            "io.felice.broker",
            "io.felice.storage.mvstore",
            "io.felice.storage.log",
            "io.felice.controller");
    private static final List<String> UNDER_GROUPS =
            List.of("io.felice.coordinator", "io.felice.broker", "io.felice.storage.log");
    private static final int ROUNDS = Integer.getInteger("felice.swap.rounds", 3);
    private static final long PATIENCE_SECONDS = 60;
    private static final int LARGE_BYTES = 30_000_000;
    private static final int LARGE_RECORDS = 300;

    @TempDir
    static Path directory;

    private static Launcher node;
    private static Insides insides;
    private static String bootstrap;

    private final Map<String, List<Swap>> swaps = new LinkedHashMap<>();

    @BeforeAll
    static void start() throws Exception {
        int port = Ports.free();
        bootstrap = "127.0.0.1:" + port;
        Path home = Archive.installation();
        Etc etc = Etc.of(home, directory.resolve("etc"));
        etc.put("io.felice.network.cfg", "response.stalled.ms", "10000");
        etc.put("io.felice.network.cfg", "connections.max.idle.ms", "86400000");
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(port, Ports.free())
                .with("FELICE_ETC", etc.toString());
        insides = new Insides(node);
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
    }

    @AfterAll
    static void stop() throws Exception {
        Result stop = node.run("stop");
        assertThat(stop).as(node.log()).isEqualTo(new Result(0, "Felice stopped.\n"));
    }

    @Test
    void clientsKeepTheirConnectionsWhileBundlesAreUpdated() throws Exception {
        try (Traffics traffics = Traffics.on(bootstrap, "unnoticed", ENGINES)) {
            Map<String, List<String>> components = insides.components();
            Map<String, Integer> threads = insides.threads();
            Map<String, Long> cut = insides.cutConnections();
            for (int round = 0; round < ROUNDS; round++) {
                for (String bundle : UNNOTICED) {
                    swap(bundle, traffics);
                }
            }
            swap(String.join(" ", SEVERAL), traffics);
            System.out.println(report());

            assertThat(insides.components()).isEqualTo(components);
            eventually(() -> mustNotHaveMore(insides.threads(), threads));
            eventually(() -> mustBeOneEach(insides.classLoaders(UNNOTICED), UNNOTICED));
            assertThat(insides.cutConnections()).isEqualTo(cut);
            for (Traffic traffic : traffics.all()) {
                mustHaveKeptItsConnections(traffic);
            }
            traffics.finish();
            assertThat(traffics.failures()).isEmpty();
        }
        assertThat(node.log()).doesNotContain(" ERROR ");
    }

    private static void mustHaveKeptItsConnections(Traffic traffic) {
        assertThat(traffic.writer().closedConnections())
                .as("connections that the writer lost")
                .isZero();
        assertThat(traffic.follower().closedConnections())
                .as("connections that the follower lost")
                .isZero();
        assertThat(traffic.member().closedConnections())
                .as("connections that the group member closed to its coordinator")
                .isLessThanOrEqualTo((ROUNDS + 1L) * UNDER_GROUPS.size());
        assertThat(traffic.admin().closedConnections())
                .as("connections that the admin client lost")
                .isZero();
    }

    @Test
    void clientsOnlyReconnectWhenTheNetworkIsUpdated() throws Exception {
        createInMemory("in-memory");
        List<String> bundles = List.of("io.felice.network", "io.felice.storage.memory");
        try (Traffics traffics = Traffics.on(bootstrap, "reconnecting", List.of("log"))) {
            Map<String, List<String>> components = insides.components();
            Map<String, Integer> threads = insides.threads();
            for (String bundle : bundles) {
                swap(bundle, traffics);
                writeTo("in-memory");
            }
            System.out.println(report());

            assertThat(insides.components()).isEqualTo(components);
            eventually(() -> mustNotHaveMore(insides.threads(), threads));
            eventually(() -> mustBeOneEach(insides.classLoaders(bundles), bundles));
            assertThat(traffics.all().get(0).writer().closedConnections())
                    .as("connections that the writer lost")
                    .isPositive();
            traffics.finish();
            assertThat(traffics.failures()).isEmpty();
        }
        assertThat(node.log()).doesNotContain(" ERROR ");
    }

    @Test
    void allOfFeliceIsReplacedInOneGo() throws Exception {
        try (Traffics traffics = Traffics.on(bootstrap, "all-at-once", ENGINES)) {
            Map<String, List<String>> components = insides.components();
            List<String> bundles = insides.shell("felice:update --list | cat")
                    .lines()
                    .filter(line -> line.startsWith("io.felice."))
                    .map(line -> line.split("[ |]", 2)[0])
                    .toList();
            assertThat(bundles)
                    .containsAll(UNNOTICED)
                    .endsWith("io.felice.shell", "io.felice.plugins")
                    .doesNotContain("io.felice.api", "io.felice.protocol", "io.felice.zookeeper");

            // The command ends with the shell that runs it.
            node.exec("felice:update --all");
            eventually(() -> assertThat(node.log()).contains("io.felice.plugins 1.0.0"));
            eventually(() -> assertThat(insides.components()).isEqualTo(components));
            assertThat(node.run("status").exitCode()).isZero();

            traffics.awaitProgress();
            traffics.finish();
            assertThat(traffics.failures()).isEmpty();
            eventually(() -> mustBeOneEach(insides.classLoaders(bundles), bundles));
        }
    }

    @Test
    void aClientThatDoesNotReadItsAnswerDoesNotKeepAnOldEngine() throws Exception {
        String topic = "unread";
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
        writeLargeTo(topic);
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", bootstrap,
                "fetch.max.bytes", LARGE_BYTES,
                "max.partition.fetch.bytes", LARGE_BYTES,
                "receive.buffer.bytes", 65_536);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> reader =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            reader.assign(List.of(partition));
            reader.seekToBeginning(List.of(partition));
            while (pinnedBytes() == 0) {
                assertThat(reader.poll(Duration.ofMillis(1))).isEmpty();
            }

            insides.shell("bundle:update -r io.felice.storage.log");
            assertThat(insides.classLoaders(List.of("io.felice.storage.log")))
                    .as("the old engine is there while its answer may be read")
                    .isEqualTo(Map.of("io.felice.storage.log", 2));
            eventually(() -> mustBeOneEach(
                    insides.classLoaders(List.of("io.felice.storage.log")), List.of("io.felice.storage.log")));

            int read = 0;
            while (read < LARGE_RECORDS) {
                read += reader.poll(Duration.ofSeconds(1)).count();
            }
            assertThat(read).isEqualTo(LARGE_RECORDS);
        }
    }

    private static void writeLargeTo(String topic) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int record = 0; record < LARGE_RECORDS; record++) {
                producer.send(new ProducerRecord<>(topic, new byte[LARGE_BYTES / LARGE_RECORDS]));
            }
        }
    }

    private static long pinnedBytes() throws Exception {
        return insides.table("storage.log").stream()
                .mapToLong(row -> Long.parseLong(row.get("pinned.bytes")))
                .sum();
    }

    private static void createInMemory(String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            NewTopic inMemory = new NewTopic(topic, 1, (short) 1).configs(Map.of("storage.engine", "memory"));
            admin.createTopics(List.of(inMemory)).all().get();
        }
        writeTo(topic);
    }

    private static void writeTo(String topic) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, "one")).get();
        }
    }

    /** One thread is allowed for each name, because a pool may have started its first thread only during the test. */
    private static void mustNotHaveMore(Map<String, Integer> threads, Map<String, Integer> before) {
        assertThat(threads).allSatisfy((name, count) -> assertThat(count)
                .as("threads named " + name)
                .isLessThanOrEqualTo(Math.max(1, before.getOrDefault(name, 0))));
    }

    private static void mustBeOneEach(Map<String, Integer> classLoaders, List<String> bundles) {
        assertThat(classLoaders)
                .as("class loaders of each bundle")
                .isEqualTo(bundles.stream().collect(toMap(bundle -> bundle, bundle -> 1)));
    }

    /** @param bundles names with spaces between; the node works out the order */
    private void swap(String bundles, Traffics traffics) throws Exception {
        traffics.takeLongestTimes();
        long cut = traffics.closedConnections();
        String update = insides.shell("felice:update " + bundles);
        for (String bundle : bundles.split(" ")) {
            assertThat(update).containsPattern(bundle + " .*, healthy after \\d+ ms");
        }
        traffics.awaitProgress();
        swaps.computeIfAbsent(bundles.contains(" ") ? "several in one go" : bundles, name -> new ArrayList<>())
                .add(new Swap(
                        traffics.takeLongestTimes(), traffics.failures().size(), traffics.closedConnections() - cut));
    }

    /** What the clients saw of one update. */
    private record Swap(Traffic.Pause pause, int failures, long closedConnections) {}

    private String report() {
        StringBuilder report = new StringBuilder(String.format(
                "%-28s %5s %8s %8s   longest ms of an acknowledgement, the follower, the group member, an admin request%n",
                "bundle", "swaps", "failures", "closed"));
        swaps.forEach((bundle, each) -> report.append(String.format(
                "%-28s %5d %8d %8d   %5d %5d %5d %5d%n",
                bundle,
                each.size(),
                each.get(each.size() - 1).failures(),
                each.stream().mapToLong(Swap::closedConnections).sum(),
                longest(each, Traffic.Pause::writtenMs),
                longest(each, Traffic.Pause::followedMs),
                longest(each, Traffic.Pause::readInGroupMs),
                longest(each, Traffic.Pause::adminMs))));
        return report.toString();
    }

    private static long longest(List<Swap> swaps, ToLongFunction<Traffic.Pause> time) {
        return swaps.stream().map(Swap::pause).mapToLong(time).max().orElseThrow();
    }

    private interface Claim {
        void check() throws Exception;
    }

    private static void eventually(Claim claim) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            try {
                claim.check();
                return;
            } catch (AssertionError notYet) {
                if (System.nanoTime() > end) {
                    throw notYet;
                }
            }
            Thread.sleep(2000);
        }
    }
}
