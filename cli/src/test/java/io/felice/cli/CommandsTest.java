package io.felice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.cli.CliRun.Surrounding;
import io.felice.junit.FeliceExtension;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the commands print, change and exit with, asked of a node in this process. */
class CommandsTest {
    private static final int RANDOM_RECORDS = 2_000;

    @RegisterExtension
    static final FeliceExtension felice = new FeliceExtension()
            .setting("io.felice.security", "authorizer", "acl")
            .setting("io.felice.security", "super.users", "User:ANONYMOUS");

    private Surrounding cli;
    private String topic;

    @BeforeEach
    void nameTheTopicAfterTheTest(TestInfo test) {
        cli = CliRun.on(bootstrap());
        topic = test.getTestMethod().orElseThrow().getName();
    }

    /** The node in this process; or a cluster of one broker with the id 0, without topics and with an authorizer, that {@code -Dfelice.cli.bootstrap=HOST:PORT} names, for example Apache Kafka. */
    private static String bootstrap() {
        String other = System.getProperty("felice.cli.bootstrap", "");
        return other.isEmpty() ? felice.node().bootstrap() : other;
    }

    private CliRun succeeds(String words) {
        return succeeded(cli.line(words));
    }

    private static CliRun succeeded(CliRun run) {
        assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
        return run;
    }

    // ---- topics

    @Test
    void aTopicIsCreatedShownAlteredPurgedAndDeleted() {
        assertThat(succeeds("topic create " + topic + " -p 2 --set retention=7d")
                        .out())
                .isEqualTo("Created " + topic + " (2 partitions, 1 replica).\n");
        assertThat(succeeds("topic list " + topic.substring(0, topic.length() - 2) + "*")
                        .lines())
                .containsExactly("TOPIC PARTITIONS REPLICAS NOT-IN-SYNC OFFLINE", topic + " 2 1 0 0");
        succeeded(cli.input("a\nb\nc\n").line("produce " + topic + " -p 1"));
        assertThat(succeeds("topic describe " + topic).lines())
                .contains("PARTITION LEADER REPLICAS IN-SYNC START END RECORDS", "1 0 0 0 0 3 3")
                .contains("retention.ms 604800000 (7 d)");
        assertThat(succeeds("topic alter " + topic + " --set retention=1h").lines())
                .containsExactly("KEY BEFORE AFTER SOURCE", "retention.ms 604800000 (7 d) 3600000 (1 h) topic");
        assertThat(succeeds("topic purge " + topic + " --before -1 --yes").out())
                .isEqualTo("Deleted 2 records of " + topic + ".\n");
        assertThat(succeeds("topic describe " + topic).lines()).contains("1 0 0 0 2 3 1");
        assertThat(succeeds("topic delete --yes " + topic).out()).isEqualTo("Deleted " + topic + ".\n");
        assertThat(cli.line("topic describe " + topic).exitCode()).isEqualTo(CliFailure.NOT_FOUND);
    }

    @Test
    void anAlterationLeavesTheOtherConfigsAlone() {
        succeeds("topic create " + topic + " --set retention=7d --set segment.bytes=100MiB");

        succeeds("config set topic:" + topic + " cleanup.policy=compact,delete");
        CliRun unset = succeeds("config unset topic:" + topic + " retention -o json");

        assertThat(unset.out()).contains("\"before\" : \"604800000 (7 d)\"", "\"source\" : \"default\"");
        assertThat(succeeds("config list topic:" + topic).lines())
                .containsExactly(
                        "KEY VALUE SOURCE READ-ONLY",
                        "cleanup.policy compact,delete topic false",
                        "segment.bytes 104857600 (100 MiB) topic false");
        assertThat(succeeds("config get topic:" + topic + " cleanup.policy").out())
                .isEqualTo("compact,delete\n");
    }

    @Test
    void aDryRunChangesNothing() {
        assertThat(succeeds("topic create " + topic + " -p 3 --dry-run").out()).startsWith("Would create " + topic);
        assertThat(cli.line("topic describe " + topic).exitCode()).isEqualTo(CliFailure.NOT_FOUND);
        succeeds("topic create " + topic + " -p 3");
        succeeded(cli.input("a\nb\n").line("produce " + topic));

        succeeds("topic alter " + topic + " --partitions 5 --set retention=1h --dry-run");
        succeeds("config set topic:" + topic + " retention=1h --dry-run");
        assertThat(succeeds("topic purge --dry-run " + topic).lines()).hasSize(4);
        assertThat(succeeds("topic delete --dry-run " + topic).lines()).contains(topic + " 3 2 -");

        assertThat(succeeds("topic list " + topic + " --no-headers").lines()).containsExactly(topic + " 3 1 0 0");
        assertThat(succeeds("config list topic:" + topic).out()).isEmpty();
        assertThat(succeeds("consume -O start -e -o text " + topic).lines()).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void whatCannotBeTakenBackIsAskedForOnATerminalOnly() {
        succeeds("topic create " + topic);

        CliRun nobody = cli.line("topic delete " + topic);
        CliRun no = cli.onTerminal(80).input("n\n").line("topic delete " + topic);

        assertThat(nobody.exitCode()).isEqualTo(CliFailure.USAGE);
        assertThat(nobody.err()).contains("Nobody can be asked", "--yes");
        assertThat(no.exitCode()).isEqualTo(CliFailure.FAILED);
        assertThat(no.err()).contains("Delete " + topic + " with all records? [y/N]", "Nothing was changed.");
        succeeds("topic describe " + topic);
        succeeded(cli.onTerminal(80).input("y\n").line("topic delete " + topic));
        assertThat(cli.line("topic describe " + topic).exitCode()).isEqualTo(CliFailure.NOT_FOUND);
    }

    @Test
    void programsGetJsonYamlOrNames() {
        succeeds("topic create " + topic + " -p 2");

        assertThat(succeeds("topic list -o json " + topic).out())
                .isEqualTo(
                        """
                        [
                          {
                            "topic" : "%s",
                            "partitions" : 2,
                            "replicas" : 1,
                            "not_in_sync" : 0,
                            "offline" : 0
                          }
                        ]
                        """
                                .formatted(topic));
        assertThat(succeeds("topic list -o yaml " + topic).out())
                .isEqualTo(
                        """
                        - topic: %s
                          partitions: 2
                          replicas: 1
                          not_in_sync: 0
                          offline: 0
                        """
                                .formatted(topic));
        assertThat(succeeds("topic list -o name " + topic).out()).isEqualTo(topic + "\n");
        assertThat(succeeded(cli.with("FELICE_OUTPUT", "name").line("topic list " + topic))
                        .out())
                .isEqualTo(topic + "\n");
        assertThat(succeeds("topic describe -o json " + topic).out())
                .contains("\"replicas\" : [\n", "\"configs\" : { }");
    }

    // ---- failures

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "topic describe nowhere                     | 3 | UNKNOWN_TOPIC_OR_PARTITION",
                "topic delete nowhere --yes                 | 3 | UNKNOWN_TOPIC_OR_PARTITION",
                "topic create a/b                           | 1 | INVALID_TOPIC_EXCEPTION",
                "topic create short --replicas 7            | 1 | INVALID_REPLICATION_FACTOR",
                "topic create wrong --set retention.ms=soon | 1 | INVALID_CONFIG",
                "topic create wrong --set retention=5GiB    | 2 | USAGE",
                "topic describe                             | 2 | USAGE",
                "topic discribe x                           | 2 | USAGE",
                "topic list --colour                        | 2 | USAGE",
                "consume nowhere -O start -e                | 3 | NOT_FOUND",
                "consume nowhere -O sometime                | 2 | USAGE",
                "group describe nobody                      | 3 | GROUP_ID_NOT_FOUND",
                "group delete nobody --yes                  | 3 | GROUP_ID_NOT_FOUND",
                "user delete nobody --yes                   | 3 | NOT_FOUND",
                "broker describe 99                         | 3 | NOT_FOUND",
                "config list topic:nowhere                  | 3 | UNKNOWN_TOPIC_OR_PARTITION",
                "config get broker:0 nothing                | 3 | NOT_FOUND",
                "quota remove --of-user nobody --yes        | 3 | NOT_FOUND",
                "acl allow alice                            | 2 | USAGE",
                "acl remove nobody --yes                    | 3 | NOT_FOUND",
                "topic list -b 127.0.0.1:1                  | 1 | UNREACHABLE",
                "topic list -b 127.0.0.1                    | 2 | USAGE"
            })
    void aFailureHasACodeASentenceAndAnExitCode(String words, int exitCode, String code) {
        CliRun forPeople = cli.line(words);
        CliRun forPrograms = cli.with("FELICE_OUTPUT", "json").line(words);

        assertThat(forPeople.exitCode()).as(forPeople.err()).isEqualTo(exitCode);
        assertThat(forPeople.err()).startsWith("felice: ").doesNotContain("Exception:");
        assertThat(forPeople.out()).isEmpty();
        assertThat(forPrograms.exitCode()).isEqualTo(exitCode);
        assertThat(forPrograms.err().replaceAll("\\s+", " "))
                .startsWith("{ \"error\" : { ")
                .contains("\"message\" : \"", "\"hint\" : ");
        assertThat(forPrograms.err()).contains("\"code\" : \"" + code + "\"");
    }

    @Test
    void aTopicThatIsThereAlreadyIsAFailureOfItsOwn() {
        succeeds("topic create " + topic);

        assertThat(cli.line("topic create " + topic).exitCode()).isEqualTo(CliFailure.EXISTS);
        assertThat(succeeds("topic create --if-not-exists " + topic).out()).contains("is there already");
        assertThat(succeeds("topic delete --if-exists --yes nowhere-at-all").out())
                .contains("nothing to delete");
    }

    @Test
    void aClusterThatDoesNotAnswerIsATimeout() throws IOException {
        try (ServerSocket silent = new ServerSocket(0)) {
            CliRun run = cli.line("topic list --timeout 300ms -b 127.0.0.1:" + silent.getLocalPort());

            assertThat(run.exitCode()).isEqualTo(CliFailure.TIMEOUT);
            assertThat(run.err()).contains("felice doctor --client");
        }
    }

    @Test
    void aWrongPasswordIsAFailureOfTheLogin(@TempDir Path directory) throws IOException {
        Path password = Files.writeString(directory.resolve("password"), "wrong\n");

        // The listener has no logins, and says so.
        CliRun run = cli.line("topic list --timeout 5s --user alice --password-file " + password);

        assertThat(run.exitCode()).as(run.err()).isEqualTo(CliFailure.AUTH);
        assertThat(run.err()).doesNotContain("wrong\n");
    }

    @Test
    void aFlagWinsOverAVariableAndAVariableOverTheFile(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("client.properties"), "bootstrap.servers=127.0.0.1:1\n");
        Surrounding nowhere = new Surrounding(Map.of("FELICE_CONFIG", file.toString()), new byte[0], Set.of(), 0);

        assertThat(nowhere.line("topic list").err()).contains("127.0.0.1:1");
        Surrounding variable = nowhere.with("FELICE_BOOTSTRAP", "127.0.0.1:2");
        assertThat(variable.line("topic list").err()).contains("127.0.0.1:2");
        assertThat(variable.line("topic list -b " + bootstrap()).exitCode()).isZero();
    }

    // ---- records

    @Test
    void recordsOfAnyBytesAreTheSameAfterConsumeAndProduce() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        succeeds("topic create " + topic + " " + topic + ".copy -p 1");
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap()), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < RANDOM_RECORDS; i++) {
                ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                        topic,
                        0,
                        (long) random.nextInt(Integer.MAX_VALUE),
                        RandomBytes.next(random),
                        RandomBytes.next(random));
                while (random.nextInt(3) == 0) {
                    record.headers().add("h" + random.nextInt(2), RandomBytes.next(random));
                }
                producer.send(record);
            }
        }

        CliRun consumed = succeeds("consume -O start -e " + topic);
        CliRun produced = succeeded(cli.input(consumed.bytes()).line("produce --ndjson " + topic + ".copy"));

        assertThat(consumed.out().lines().count()).isEqualTo(RANDOM_RECORDS);
        assertThat(produced.out()).isEqualTo(RANDOM_RECORDS + " records written to " + topic + ".copy.\n");
        assertThat(contents(topic + ".copy")).isEqualTo(contents(topic));
    }

    /** All that a record is, as text. */
    private static List<String> contents(String of) {
        List<String> contents = new ArrayList<>();
        TopicPartition partition = new TopicPartition(of, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap()), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    StringBuilder text = new StringBuilder(record.timestamp() + " " + Arrays.toString(record.key())
                            + " " + Arrays.toString(record.value()));
                    for (Header header : record.headers()) {
                        text.append(' ').append(header.key()).append('=').append(Arrays.toString(header.value()));
                    }
                    contents.add(text.toString());
                }
            }
        }
        return contents;
    }

    @Test
    void linesBecomeRecordsWithKeysHeadersAndNulls(@TempDir Path directory) throws IOException {
        succeeds("topic create " + topic + " -p 1");
        Path whole = Files.writeString(directory.resolve("file"), "two\nlines");

        assertThat(succeeded(cli.input("42:tea\n").run("produce", topic, "-K", ":", "-H", "trace=a1"))
                        .out())
                .isEqualTo("1 record written to " + topic + ", partition 0, offset 0.\n");
        succeeded(cli.input("gone:\n:\nplain\n").run("produce", topic, "-K", ":", "-Z"));
        succeeded(cli.input("a\0b").run("produce", topic, "-d", "\\0", "-k", "fix"));
        CliRun json = succeeded(cli.run("produce", topic, "--whole", whole.toString(), "-o", "json"));

        assertThat(json.out()).contains("\"records\" : 1", "\"first_offset\" : 6");
        assertThat(succeeded(cli.run("consume", topic, "-O", "start", "-e", "-f", "%t-%p@%o %k=%v %h\\n"))
                        .out())
                .isEqualTo(
                        """
                        %1$s-0@0 42=tea trace=a1
                        %1$s-0@1 gone=\s
                        %1$s-0@2 =\s
                        %1$s-0@3 =plain\s
                        %1$s-0@4 fix=a\s
                        %1$s-0@5 fix=b\s
                        %1$s-0@6 =two
                        lines\s
                        """
                                .formatted(topic));
        assertThat(succeeds("consume " + topic + " -O 1:2").out()).contains("\"key\":\"gone\",\"value\":null");
    }

    @Test
    void aLineThatIsNoRecordIsNamedAndTheLinesBeforeItAreWritten() {
        succeeds("topic create " + topic + " -p 1");

        CliRun run =
                cli.input("{\"value\":\"a\"}\n\nnonsense\n{\"value\":\"b\"}\n").line("produce -j " + topic);

        assertThat(run.exitCode()).isEqualTo(CliFailure.USAGE);
        assertThat(run.err()).contains("line 3: it is no JSON", "1 record of 1 was written.");
        assertThat(succeeds("consume -O start -e -o text " + topic).out()).isEqualTo("a\n");
    }

    @Test
    void consumeBeginsAndEndsWhereItIsTold() {
        succeeds("topic create " + topic + " -p 1");
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            lines.append("{\"value\":\"")
                    .append(i)
                    .append("\",\"time\":")
                    .append(100_000 + i)
                    .append("}\n");
        }
        succeeded(cli.input(lines.toString()).line("produce -j " + topic));

        assertThat(values("-O start -n 3")).isEqualTo("0 1 2");
        assertThat(values("-O -2 -e")).isEqualTo("8 9");
        assertThat(values("-O 4:6")).isEqualTo("4 5");
        assertThat(values("-O 7:")).isEqualTo("7");
        assertThat(values("-O @100006 -e")).isEqualTo("6 7 8 9");
        assertThat(values("-O @100002:@100005")).isEqualTo("2 3 4");
        assertThat(values("-O start:end -n 1")).isEqualTo("0");
        assertThat(values("-O @-1h:end")).isEmpty();
    }

    private String values(String options) {
        // "7:" has no end, so this one is ended by the count.
        String count = options.endsWith(":") ? " -n 1" : "";
        return succeeds("consume -o text " + options + count + " " + topic)
                .out()
                .strip()
                .replace('\n', ' ');
    }

    @Test
    void aTerminalGetsNoControlCharactersOfRecords() {
        succeeds("topic create " + topic + " -p 1");
        succeeded(cli.input("red\u001b[31m\n").line("produce " + topic));

        assertThat(succeeded(cli.onTerminal(80).line("consume -O start -e -o text " + topic))
                        .out())
                .isEqualTo("red\uFFFD[31m\n");
        assertThat(succeeds("consume -O start -e -o text " + topic).out()).isEqualTo("red\u001b[31m\n");
    }

    // ---- groups

    @Test
    void aGroupIsShownResetAndDeleted() {
        succeeds("topic create " + topic + " -p 1");
        succeeded(cli.input("a\nb\nc\nd\n").line("produce " + topic));
        assertThat(succeeds("consume -o text -g readers -n 3 " + topic).lines()).containsExactly("a", "b", "c");

        assertThat(succeeds("group list").lines()).contains("readers classic consumer empty");
        assertThat(succeeds("group describe readers").lines()).contains("state empty", "lag 1", topic + " 0 3 4 1 - -");
        assertThat(succeeds("group reset readers --to start --dry-run").lines())
                .contains(topic + " 0 3 0 reads 3 records again");
        assertThat(succeeds("group reset readers --shift -2 --yes").lines())
                .contains(topic + " 0 3 1 reads 2 records again");
        assertThat(succeeds("group reset readers --to end --yes -t " + topic + ":0")
                        .lines())
                .contains(topic + " 0 1 4 skips 3 records");
        assertThat(succeeds("topic delete --dry-run " + topic).lines()).contains(topic + " 1 4 readers");
        assertThat(succeeds("group describe readers -o json").out()).contains("\"lag\" : 0");
        succeeds("group delete readers --yes");
        assertThat(cli.line("group describe readers").exitCode()).isEqualTo(CliFailure.NOT_FOUND);
    }

    @Test
    void aGroupWithMembersIsNotReset() {
        succeeds("topic create " + topic + " -p 1");
        try (KafkaConsumer<byte[], byte[]> member = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", bootstrap(),
                        "group.id", "busy",
                        "client.id", "billing",
                        "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            member.subscribe(List.of(topic));
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
                member.poll(Duration.ofMillis(50));
                return !member.assignment().isEmpty();
            });
            member.commitSync(
                    Map.of(new TopicPartition(topic, 0), new org.apache.kafka.clients.consumer.OffsetAndMetadata(0)));

            CliRun run = cli.line("group reset busy --to end --yes");

            assertThat(run.exitCode()).isEqualTo(CliFailure.FAILED);
            assertThat(run.err()).contains("is used by billing on 127.0.0.1");
            assertThat(succeeds("group describe busy").lines())
                    .contains("state stable", topic + " 0 0 0 0 billing 127.0.0.1");
        }
    }

    // ---- users, rights, quotas

    @Test
    void aUserIsMadeListedAndDeleted(@TempDir Path directory) throws IOException {
        Path password = Files.writeString(directory.resolve("password"), "correct horse\n");

        assertThat(succeeds("user set alice --new-password-file " + password).out())
                .isEqualTo("User alice can log in.\n");
        assertThat(succeeds("user set bob -m SCRAM-SHA-512").out())
                .matches("User bob can log in. Its password is \\w{24} - it is not shown again.\n");
        assertThat(succeeds("user list --no-headers").lines())
                .contains("alice SCRAM-SHA-256,SCRAM-SHA-512", "bob SCRAM-SHA-512");
        succeeds("user delete bob --yes");
        assertThat(succeeds("user list -o name").lines()).contains("alice").doesNotContain("bob");
    }

    @Test
    void rightsAreGivenInWordsOfPurposes() {
        succeeds("acl allow carol --produce orders-* --host 127.0.0.1");
        succeeded(cli.run("acl", "allow", "dave", "--consume", "orders", "--group", "billing"));
        succeeded(cli.run("acl", "deny", "dave", "--operations", "write", "--on", "topic:*"));

        assertThat(succeeds("acl list carol --no-headers").lines())
                .containsExactly(
                        "User:carol allow write topic:orders-* 127.0.0.1",
                        "User:carol allow create topic:orders-* 127.0.0.1",
                        "User:carol allow describe topic:orders-* 127.0.0.1");
        assertThat(succeeds("acl list dave --no-headers").lines())
                .containsExactlyInAnyOrder(
                        "User:dave deny write topic:* *",
                        "User:dave allow read topic:orders *",
                        "User:dave allow describe topic:orders *",
                        "User:dave allow read group:billing *",
                        "User:dave allow describe group:billing *");
        succeeds("acl remove dave --consume orders --yes");
        assertThat(succeeds("acl list dave --no-headers").lines()).hasSize(3);
        succeeds("acl remove dave --yes");
        assertThat(succeeds("acl list dave").out()).isEmpty();
        succeeds("acl remove carol --yes");
    }

    @Test
    void quotasAreSetAndRemoved() {
        succeeds("quota set --of-user erin producer_byte_rate=10MiB request_percentage=50");
        succeeded(cli.run("quota", "set", "--of-client-id", "<default>", "consumer_byte_rate=1e6"));

        assertThat(succeeds("quota list --no-headers").lines())
                .contains(
                        "erin - - producer_byte_rate 10485760",
                        "erin - - request_percentage 50",
                        "- <default> - consumer_byte_rate 1000000");
        succeeds("quota remove --of-user erin request_percentage --yes");
        assertThat(succeeds("quota list -o json").out()).doesNotContain("request_percentage");
        succeeds("quota remove --of-user erin --yes");
    }

    // ---- the cluster

    @Test
    void theClusterAndItsBrokersAreShown() {
        assertThat(succeeds("cluster health").out()).startsWith("HEALTHY   brokers 1   partitions ");
        assertThat(succeeds("cluster health -o json").out()).contains("\"healthy\" : true", "\"troubles\" : [ ]");
        assertThat(succeeds("cluster describe").lines()).contains("controller 0", "brokers 1");
        assertThat(succeeds("broker list --no-headers").lines())
                .singleElement()
                .asString()
                .startsWith("0 127.0.0.1 ");
        assertThat(succeeds("broker describe 0").lines()).contains("broker 0", "DIRECTORY LOGS BYTES FREE-BYTES ERROR");
        assertThat(succeeds("broker config 0 --all").lines()).anyMatch(line -> line.startsWith("num.partitions 1 "));
        assertThat(succeeds("config set broker:0 log.retention.ms=6d").lines())
                .anyMatch(line -> line.startsWith("log.retention.ms ") && line.endsWith(" 518400000 (6 d) broker"));
        succeeds("config unset broker:0 log.retention.ms");
    }

    @Test
    void benchmarksShowRatesAndPercentiles() {
        succeeds("topic create " + topic + " -p 1");

        CliRun produce = succeeds("bench produce -n 2000 --size 50 -o json " + topic);
        CliRun consume = succeeds("bench consume -o json " + topic);

        assertThat(produce.out()).contains("\"records\" : 2000", "\"records_per_second\" : ", "\"p99\" : ");
        assertThat(consume.out()).contains("\"records\" : 2000", "\"first_record_ms\" : ");
    }

    @Test
    void theDoctorConnectsToEveryAddressThatIsAdvertised() {
        CliRun run = succeeds("doctor --client " + bootstrap());

        assertThat(run.lines()).anyMatch(line -> line.startsWith("bootstrap 127.0.0.1:"));
        assertThat(run.lines()).anyMatch(line -> line.startsWith("broker 0 127.0.0.1:"));
        CliRun none = cli.line("doctor --client 127.0.0.1:1");
        assertThat(none.exitCode()).isEqualTo(CliFailure.FAILED);
        assertThat(none.out()).contains("FAILED", "Connection refused");
    }

    @Test
    void helpAndCompletionKnowEveryCommand() {
        CliRun help = cli.line("topic create --help");
        CliRun completion = cli.line("completion bash");

        assertThat(help.out()).contains("Usage: felice topic create", "--partitions", "--bootstrap");
        assertThat(completion.out()).contains("topic", "metadata-repair", "complete -F _felice_all -o default felice");
        assertThat(new String(completion.bytes(), UTF_8)).doesNotContain("\u001b");
    }
}
