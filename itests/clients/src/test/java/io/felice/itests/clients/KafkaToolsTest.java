package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's own tools, unchanged, work with Felice as they do with Kafka. */
class KafkaToolsTest {
    /** ApiVersions, version 0: length, key, version, correlation id, no client id. */
    private static final byte[] API_VERSIONS = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, -1, -1};

    @TempDir
    static Path directory;

    private static Node node;
    private static String[] server;

    @BeforeAll
    static void start() {
        node = Node.in(directory);
        server = new String[] {"--bootstrap-server", node.bootstrap()};
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    void topicsAreCreatedListedDescribedExtendedAndDeleted() {
        KafkaTools.TOPICS.run(
                with("--create", "--topic", "shop", "--partitions", "3", "--config", "retention.ms=60000"));
        KafkaTools.TOPICS.run(with("--alter", "--topic", "shop", "--partitions", "5"));

        String described = KafkaTools.TOPICS.run(with("--describe", "--topic", "shop"));

        assertThat(described)
                .contains("PartitionCount: 5")
                .contains("ReplicationFactor: 1")
                .contains("retention.ms=60000")
                .contains("Partition: 4");
        assertThat(KafkaTools.TOPICS.run(with("--list")).lines()).contains("shop");
        KafkaTools.TOPICS.run(with("--delete", "--topic", "shop"));
        assertThat(KafkaTools.TOPICS.run(with("--list")).lines()).doesNotContain("shop");
    }

    @Test
    void configsAreSetShownWithTheirSourceAndRemoved() {
        create("settings", 1);
        KafkaTools.CONFIGS.run(with(
                "--alter",
                "--entity-type",
                "topics",
                "--entity-name",
                "settings",
                "--add-config",
                "segment.bytes=1048576"));

        String set = KafkaTools.CONFIGS.run(with("--describe", "--entity-type", "topics", "--entity-name", "settings"));
        KafkaTools.CONFIGS.run(with(
                "--alter", "--entity-type", "topics", "--entity-name", "settings", "--delete-config", "segment.bytes"));
        String all = KafkaTools.CONFIGS.run(
                with("--describe", "--all", "--entity-type", "topics", "--entity-name", "settings"));

        assertThat(set).contains("segment.bytes=1048576").contains("DYNAMIC_TOPIC_CONFIG:segment.bytes=1048576");
        assertThat(all).contains("segment.bytes=1073741824").contains("DEFAULT_CONFIG:log.segment.bytes=1073741824");
    }

    @Test
    void aBrokerConfigIsChangedWhileTheBrokerRuns() {
        KafkaTools.CONFIGS.run(with(
                "--alter", "--entity-type", "brokers", "--entity-default", "--add-config", "log.retention.ms=7200000"));

        String described = KafkaTools.CONFIGS.run(with("--describe", "--entity-type", "brokers", "--entity-default"));
        create("inherits", 1);
        String inherited = KafkaTools.CONFIGS.run(
                with("--describe", "--all", "--entity-type", "topics", "--entity-name", "inherits"));

        assertThat(described).contains("log.retention.ms=7200000");
        assertThat(inherited).contains("retention.ms=7200000");
        KafkaTools.CONFIGS.run(
                with("--alter", "--entity-type", "brokers", "--entity-default", "--delete-config", "log.retention.ms"));
    }

    @Test
    void aBrokerShowsItsListenersAndItsLogDirs() {
        String described =
                KafkaTools.CONFIGS.run(with("--describe", "--all", "--entity-type", "brokers", "--entity-name", "0"));

        assertThat(described)
                .contains("node.id=0 sensitive=false synonyms={STATIC_BROKER_CONFIG:node.id=0}")
                .contains("advertised.listeners=PLAINTEXT://" + node.bootstrap())
                .containsPattern("log.dirs=log:.*,memory:");
    }

    @Test
    void limitsOfConnectionsAreChangedWhileItRuns() throws IOException {
        String limits = "max.connections=1000,max.connections.per.ip.overrides=[127.0.0.2:1],"
                + "listener.name.plaintext.max.connection.creation.rate=500";
        KafkaTools.CONFIGS.run(
                with("--alter", "--entity-type", "brokers", "--entity-name", "0", "--add-config", limits));

        String described = KafkaTools.CONFIGS.run(with("--describe", "--entity-type", "brokers", "--entity-name", "0"));
        boolean second = isServedTwiceFrom("127.0.0.2");
        KafkaTools.CONFIGS.run(
                with(
                        "--alter",
                        "--entity-type",
                        "brokers",
                        "--entity-name",
                        "0",
                        "--delete-config",
                        "max.connections,max.connections.per.ip.overrides,listener.name.plaintext.max.connection.creation.rate"));

        assertThat(described)
                .contains("max.connections=1000 ")
                .contains("max.connections.per.ip.overrides=127.0.0.2:1 ")
                .contains("listener.name.plaintext.max.connection.creation.rate=500 ");
        assertThat(second).isFalse();
        assertThat(isServedTwiceFrom("127.0.0.2")).isTrue();
    }

    /** Whether an address can have two connections at a time. */
    private boolean isServedTwiceFrom(String address) throws IOException {
        String[] broker = node.bootstrap().split(":");
        InetAddress from = InetAddress.getByName(address);
        try (Socket first = new Socket(broker[0], Integer.parseInt(broker[1]), from, 0);
                Socket second = new Socket(broker[0], Integer.parseInt(broker[1]), from, 0)) {
            return isServed(first) && isServed(second);
        }
    }

    private static boolean isServed(Socket socket) throws IOException {
        try {
            socket.getOutputStream().write(API_VERSIONS);
            return socket.getInputStream().read() >= 0;
        } catch (SocketException reset) {
            return false;
        }
    }

    @Test
    void configsThatProvisioningToolsSetAreAccepted() {
        Java.createTopic(
                node.bootstrap(),
                "provisioned",
                1,
                Map.of(
                        "compression.type", "zstd",
                        "file.delete.delay.ms", "60000",
                        "remote.storage.enable", "false",
                        "leader.replication.throttled.replicas", "*"));
        String broker = "leader.replication.throttled.rate=1000000,num.io.threads=16,my.plugin.key=value";
        KafkaTools.CONFIGS.run(
                with("--alter", "--entity-type", "brokers", "--entity-name", "0", "--add-config", broker));

        String described = KafkaTools.CONFIGS.run(with("--describe", "--entity-type", "brokers", "--entity-name", "0"));

        assertThat(described)
                .contains("leader.replication.throttled.rate=1000000")
                .contains("my.plugin.key=null");
    }

    @Test
    void aReassignmentIsVerifiedAndItsThrottlesAreCleared() throws IOException {
        Java.createTopic(node.bootstrap(), "placed", 1, Map.of("leader.replication.throttled.replicas", "0:0"));
        Path plan = Files.writeString(
                directory.resolve("reassign.json"),
                "{\"version\":1,\"partitions\":[{\"topic\":\"placed\",\"partition\":0,\"replicas\":[0]}]}");

        String verified =
                KafkaTools.REASSIGN_PARTITIONS.run(with("--verify", "--reassignment-json-file", plan.toString()));

        assertThat(verified)
                .contains("Reassignment of partition placed-0 is completed.")
                .contains("Clearing broker-level throttles on broker 0")
                .contains("Clearing topic-level throttles on topic placed");
        assertThat(own("placed")).doesNotContain("leader.replication.throttled.replicas");
    }

    @Test
    void theProducersOfAPartitionAreDescribed() {
        Java.createTopic(node.bootstrap(), "produced", 1, Map.of());
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of("acks", "all"))) {
            for (String value : List.of("a", "b", "c")) {
                Java.get(producer.send(new ProducerRecord<>("produced", value)));
            }
        }

        String described = KafkaTools.TRANSACTIONS.run(
                "--bootstrap-server",
                node.bootstrap(),
                "describe-producers",
                "--topic",
                "produced",
                "--partition",
                "0");

        List<String> lines = described.lines().filter(line -> !line.isBlank()).toList();
        assertThat(lines.get(0)).contains("ProducerId", "LastSequence", "CurrentTransactionStartOffset");
        assertThat(lines.get(1).trim().split("\\s+")).contains("0", "2", "-1", "None");
    }

    /** The names of the topic's configs that differ from the defaults. */
    private static List<String> own(String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try (Admin admin = Java.admin(node.bootstrap())) {
            return Java.get(admin.describeConfigs(List.of(resource)).all()).get(resource).entries().stream()
                    .filter(entry -> !entry.isDefault())
                    .map(ConfigEntry::name)
                    .toList();
        }
    }

    @Test
    void onlyTheFeatureFeliceVersionIsDescribed() {
        assertThat(KafkaTools.FEATURES.run(with("describe")))
                .containsPattern("Feature: felice.version\\s+SupportedMinVersion: 1\\s+SupportedMaxVersion: 1")
                .doesNotContain("transaction.version");
    }

    @Test
    void theConsoleProducersRecordsReachTheConsoleConsumer() throws IOException {
        create("console", 1);
        Path lines = lines("console", 100);
        KafkaTools.CONSOLE_PRODUCER.feed(lines, with("--topic", "console"));

        String read = KafkaTools.CONSOLE_CONSUMER.run(
                with("--topic", "console", "--from-beginning", "--max-messages", "100", "--timeout-ms", "60000"));

        assertThat(read.lines().filter(line -> line.startsWith("line ")))
                .containsExactlyElementsOf(Files.readAllLines(lines));
    }

    @Test
    void aGroupIsListedDescribedResetInEveryWayAndDeleted() throws IOException {
        Instant now = Instant.now();
        Java.createTopic(node.bootstrap(), "orders", 1, Map.of("retention.ms", "-1"));
        writeAt("orders", Instant.parse("2019-07-01T00:00:00Z"), 10);
        writeAt("orders", now.minus(Duration.ofHours(5)), 20);
        writeAt("orders", now, 20);
        KafkaTools.CONSOLE_CONSUMER.run(with(
                "--topic",
                "orders",
                "--group",
                "billing",
                "--from-beginning",
                "--max-messages",
                "50",
                "--timeout-ms",
                "60000"));

        assertThat(KafkaTools.CONSUMER_GROUPS.run(with("--list")).lines()).contains("billing");
        assertThat(KafkaTools.CONSUMER_GROUPS.run(with("--describe", "--group", "billing")))
                .containsPattern("billing +orders +0 +50 +50 +0");
        assertThat(KafkaTools.CONSUMER_GROUPS.run(with("--describe", "--group", "billing", "--state")))
                .contains("Empty");
        assertThat(reset("--to-earliest")).containsPattern("billing +orders +0 +0");
        assertThat(reset("--to-latest")).containsPattern("billing +orders +0 +50");
        assertThat(reset("--to-offset", "20")).containsPattern("billing +orders +0 +20");
        assertThat(reset("--shift-by", "5")).containsPattern("billing +orders +0 +25");
        assertThat(reset("--shift-by", "-10")).containsPattern("billing +orders +0 +15");
        assertThat(reset("--by-duration", "PT1H")).containsPattern("billing +orders +0 +30");
        assertThat(reset("--to-datetime", "2020-01-01T00:00:00.000")).containsPattern("billing +orders +0 +10");
        assertThat(reset("--to-current")).containsPattern("billing +orders +0 +10");
        Path plan = Files.writeString(directory.resolve("plan.csv"), "orders,0,33\n");
        assertThat(reset("--from-file", plan.toString())).containsPattern("billing +orders +0 +33");
        assertThat(KafkaTools.CONSUMER_GROUPS.run(with("--delete-offsets", "--group", "billing", "--topic", "orders")))
                .contains("Successful");
        KafkaTools.CONSUMER_GROUPS.run(with("--delete", "--group", "billing"));
        assertThat(KafkaTools.CONSUMER_GROUPS.run(with("--list")).lines()).doesNotContain("billing");
    }

    @Test
    void offsetsAreShownAndRecordsDeleted() throws IOException {
        create("trimmed", 1);
        KafkaTools.CONSOLE_PRODUCER.feed(lines("trimmed", 30), with("--topic", "trimmed"));
        Path request = Files.writeString(
                directory.resolve("delete.json"),
                "{\"partitions\":[{\"topic\":\"trimmed\",\"partition\":0,\"offset\":12}],\"version\":1}");

        String deleted = KafkaTools.DELETE_RECORDS.run(with("--offset-json-file", request.toString()));

        assertThat(deleted).contains("low_watermark: 12");
        assertThat(offsets("trimmed", "earliest")).isEqualTo("trimmed:0:12");
        assertThat(offsets("trimmed", "latest")).isEqualTo("trimmed:0:30");
        assertThat(offsets("trimmed", "max-timestamp")).startsWith("trimmed:0:");
        assertThat(offsets("trimmed", "0")).isEqualTo("trimmed:0:12");
    }

    @Test
    void logDirsNameTheEngineAndItsReplicas() {
        create("kept", 2);

        String described = KafkaTools.LOG_DIRS.run(with("--describe", "--topic-list", "kept"));

        assertThat(described).contains("\"logDir\":\"log:").contains("\"partition\":\"kept-1\"");
    }

    @Test
    void theToolsShowTheAdvertisedApiVersions() {
        String versions = KafkaTools.BROKER_API_VERSIONS.run(server);

        assertThat(versions)
                .contains("Produce(0): 0 to 13")
                .contains("Fetch(1): 4 to 18")
                .contains("ApiVersions(18): 0 to 5");
        assertThat(versions).doesNotContain("DescribeQuorum(55): 0");
    }

    @Test
    void thePerformanceToolsSucceed() {
        create("perf", 1);

        String produced = KafkaTools.PRODUCER_PERF_TEST.run(
                "--topic",
                "perf",
                "--num-records",
                "20000",
                "--record-size",
                "200",
                "--throughput",
                "-1",
                "--producer-props",
                "bootstrap.servers=" + node.bootstrap(),
                "acks=all");
        String consumed = KafkaTools.CONSUMER_PERF_TEST.run(with("--topic", "perf", "--messages", "20000"));

        assertThat(produced).contains("20000 records sent");
        assertThat(consumed).contains("20000");
    }

    @Test
    void dumpLogReadsASegmentThatTheLogEngineWrote() throws IOException {
        create("dumped", 1);
        KafkaTools.CONSOLE_PRODUCER.feed(lines("dumped", 25), with("--topic", "dumped"));
        Path segment;
        try (Stream<Path> files = Files.walk(directory)) {
            segment = files.filter(f -> f.getFileName().toString().equals("00000000000000000000.log")
                            && f.getParent().getFileName().toString().equals("dumped-0"))
                    .findFirst()
                    .orElseThrow();
        }

        String dump = KafkaTools.DUMP_LOG.run("--deep-iteration", "--print-data-log", "--files", segment.toString());

        assertThat(dump)
                .contains("payload: line 1 of dumped")
                .contains("payload: line 25 of dumped")
                .contains("isvalid: true");
        assertThat(dump).doesNotContain("isvalid: false");
    }

    private static String reset(String... how) {
        List<String> arguments = new ArrayList<>(List.of("--reset-offsets", "--group", "billing", "--execute"));
        if (!how[0].equals("--from-file")) {
            arguments.addAll(List.of("--topic", "orders"));
        }
        arguments.addAll(List.of(how));
        return KafkaTools.CONSUMER_GROUPS.run(with(arguments.toArray(String[]::new)));
    }

    private static void writeAt(String topic, Instant time, int count) {
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            Java.numbered("line of " + topic, count)
                    .forEach(value ->
                            Java.get(producer.send(new ProducerRecord<>(topic, 0, time.toEpochMilli(), null, value))));
        }
    }

    private static String offsets(String topic, String time) {
        return KafkaTools.GET_OFFSETS
                .run(with("--topic", topic, "--time", time))
                .lines()
                .filter(line -> line.startsWith(topic))
                .findFirst()
                .orElseThrow();
    }

    private static void create(String topic, int partitions) {
        KafkaTools.TOPICS.run(with("--create", "--topic", topic, "--partitions", Integer.toString(partitions)));
    }

    private static Path lines(String topic, int count) throws IOException {
        List<String> lines = IntStream.rangeClosed(1, count)
                .mapToObj(i -> "line " + i + " of " + topic)
                .toList();
        return Files.write(directory.resolve(topic + ".txt"), lines);
    }

    private static String[] with(String... arguments) {
        return Stream.concat(Stream.of(server), Stream.of(arguments)).toArray(String[]::new);
    }
}
