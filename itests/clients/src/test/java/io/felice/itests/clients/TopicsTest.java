package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics and the requests of administrators about them. */
@Timeout(120)
class TopicsTest {
    @TempDir
    static Path directory;

    private static Node node;
    private static Admin admin;

    @BeforeAll
    static void start() {
        node = Node.in(directory);
        admin = Java.admin(node.bootstrap());
    }

    @AfterAll
    static void stop() {
        admin.close();
        node.close();
    }

    @Test
    void theResponseToCreateTopicsHasTheConfigsOfDescribeConfigs() {
        ConfigResource allBrokers = new ConfigResource(ConfigResource.Type.BROKER, "");
        alter(allBrokers, new ConfigEntry("log.retention.ms", "7654321"), AlterConfigOp.OpType.SET);
        try {
            NewTopic topic = new NewTopic("told", 1, (short) 1).configs(Map.of("segment.bytes", "7654321"));
            Config told = Java.get(admin.createTopics(List.of(topic)).config("told"));

            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, "told");
            Config described =
                    Java.get(admin.describeConfigs(List.of(resource)).all()).get(resource);
            assertThat(valuesAndSources(told)).isEqualTo(valuesAndSources(described));
            assertThat(valuesAndSources(told))
                    .contains(
                            "retention.ms=7654321 of DYNAMIC_DEFAULT_BROKER_CONFIG",
                            "segment.bytes=7654321 of DYNAMIC_TOPIC_CONFIG");
        } finally {
            alter(allBrokers, new ConfigEntry("log.retention.ms", ""), AlterConfigOp.OpType.DELETE);
        }
    }

    private static Set<String> valuesAndSources(Config config) {
        return config.entries().stream()
                .map(entry -> entry.name() + "=" + entry.value() + " of " + entry.source())
                .collect(Collectors.toSet());
    }

    @Test
    void aRunningConsumerReadsATopicThatIsCreatedAgainFromItsBeginning() {
        Java.createTopic(node.bootstrap(), "again", 1, Map.of());
        Java.write(node.bootstrap(), "again", 0, Java.numbered("old", 50));
        Map<String, Object> settings =
                Map.of("auto.offset.reset", "earliest", "metadata.max.age.ms", 1000, "fetch.max.wait.ms", 100);
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(node.bootstrap(), settings)) {
            consumer.assign(List.of(new TopicPartition("again", 0)));
            assertThat(read(consumer, 50)).isEqualTo(Java.numbered("old", 50));

            Java.get(admin.deleteTopics(List.of("again")).all());
            createWhenGone("again");
            Java.write(node.bootstrap(), "again", 0, Java.numbered("new", 10));

            assertThat(read(consumer, 10)).isEqualTo(Java.numbered("new", 10));
        }
    }

    @Test
    void theIdOfADeletedTopicIsUnknown() throws IOException {
        Java.createTopic(node.bootstrap(), "gone", 1, Map.of());
        Uuid id = describe("gone").topicId();
        assertThat(fetch(id)).containsOnly(Errors.NONE);

        Java.get(admin.deleteTopics(List.of("gone")).all());
        createWhenGone("gone");

        assertThat(describe("gone").topicId()).isNotEqualTo(id);
        assertThat(fetch(id)).contains(Errors.UNKNOWN_TOPIC_ID);
    }

    @Test
    void aProducerCreatesItsTopic() {
        Java.write(node.bootstrap(), "made-by-writing", 0, List.of("first"));

        assertThat(Java.values(node.bootstrap(), "made-by-writing", 0)).containsExactly("first");
    }

    @Test
    void aConsumerWithoutAutoCreationCreatesNoTopic() {
        Map<String, Object> settings = Map.of("allow.auto.create.topics", false, "group.id", "careful");
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(node.bootstrap(), settings)) {
            consumer.subscribe(List.of("never-made"));
            consumer.poll(Duration.ofSeconds(1));
        }

        assertThat(Java.get(admin.listTopics().names())).doesNotContain("never-made");
    }

    @Test
    void withoutAutoCreationClientsCreateNoTopic() {
        FeliceNode.Builder without =
                FeliceNode.inMemory().config("io.felice.broker", "auto.create.topics.enable", false);
        try (FeliceNode strict = without.start();
                KafkaProducer<String, String> producer =
                        Java.textProducer(strict.bootstrap(), Map.of("max.block.ms", 1000))) {
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("nowhere", "lost"))
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(TimeoutException.class);
        }
    }

    @Test
    void illegalTopicsAreRefused() {
        Java.createTopic(node.bootstrap(), "exists", 1, Map.of());

        assertThat(refusalOf(new NewTopic("exists", 1, (short) 1))).isInstanceOf(TopicExistsException.class);
        assertThat(refusalOf(new NewTopic("bad name", 1, (short) 1))).isInstanceOf(InvalidTopicException.class);
        assertThat(refusalOf(new NewTopic("..", 1, (short) 1))).isInstanceOf(InvalidTopicException.class);
        assertThat(refusalOf(new NewTopic("x".repeat(250), 1, (short) 1))).isInstanceOf(InvalidTopicException.class);
        assertThat(refusalOf(new NewTopic("none", 0, (short) 1))).isInstanceOf(InvalidPartitionsException.class);
        assertThat(refusalOf(new NewTopic("twice", 1, (short) 2)))
                .isInstanceOf(InvalidReplicationFactorException.class);
        assertThat(refusalOf(new NewTopic("odd", 1, (short) 1).configs(Map.of("no.such.config", "1"))))
                .isInstanceOf(InvalidConfigurationException.class);
        assertThat(refusalOf(new NewTopic("wrong", 1, (short) 1).configs(Map.of("retention.ms", "soon"))))
                .isInstanceOf(InvalidConfigurationException.class);
    }

    @Test
    void aTopicIsDescribedWithItsDefaults() {
        Java.get(admin.createTopics(List.of(new NewTopic("plain", Optional.empty(), Optional.empty())))
                .all());

        TopicDescription plain = describe("plain");

        assertThat(plain.partitions()).hasSize(1);
        assertThat(plain.partitions().get(0).leader().id())
                .isEqualTo(plain.partitions().get(0).replicas().get(0).id());
        assertThat(plain.partitions().get(0).isr()).hasSize(1);
        assertThat(plain.isInternal()).isFalse();
    }

    @Test
    void partitionsAreAddedAndNotRemoved() {
        Java.createTopic(node.bootstrap(), "grows", 2, Map.of());
        Java.get(admin.createPartitions(Map.of("grows", NewPartitions.increaseTo(4)))
                .all());

        assertThat(describe("grows").partitions()).hasSize(4);
        assertThat(Java.failureOf(admin.createPartitions(Map.of("grows", NewPartitions.increaseTo(3)))
                        .all()))
                .isInstanceOf(InvalidPartitionsException.class);
        assertThat(Java.failureOf(admin.createPartitions(Map.of("no-such-topic", NewPartitions.increaseTo(3)))
                        .all()))
                .isInstanceOf(UnknownTopicOrPartitionException.class);
        Java.write(node.bootstrap(), "grows", 3, List.of("in the new one"));
    }

    @Test
    void configsAreDescribedWithTheirSource() {
        Java.createTopic(node.bootstrap(), "sources", 1, Map.of("retention.ms", "1234567"));
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "sources");
        alter(topic, new ConfigEntry("segment.bytes", "2000000"), AlterConfigOp.OpType.SET);

        Config described = config(topic);

        assertThat(described.get("retention.ms").value()).isEqualTo("1234567");
        assertThat(described.get("retention.ms").source()).isEqualTo(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
        assertThat(described.get("segment.bytes").value()).isEqualTo("2000000");
        assertThat(described.get("max.message.bytes").isDefault()).isTrue();
        alter(topic, new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE);
        assertThat(config(topic).get("retention.ms").value()).isEqualTo("604800000");
        assertThat(Java.failureOf(admin.incrementalAlterConfigs(Map.of(
                                topic,
                                List.of(new AlterConfigOp(
                                        new ConfigEntry("max.message.bytes", "-5"), AlterConfigOp.OpType.SET))))
                        .all()))
                .isInstanceOf(InvalidConfigurationException.class);
    }

    @Test
    void logDirsHaveTheReplicasAndTheirSizes() {
        Java.createTopic(node.bootstrap(), "sized", 1, Map.of());
        Java.write(node.bootstrap(), "sized", 0, Java.numbered("record", 100));
        TopicPartition partition = new TopicPartition("sized", 0);

        List<Long> sizes =
                Java.get(admin.describeLogDirs(List.of(broker())).allDescriptions()).get(broker()).values().stream()
                        .filter(dir -> dir.replicaInfos().containsKey(partition))
                        .map(dir -> dir.replicaInfos().get(partition).size())
                        .toList();

        assertThat(sizes).hasSize(1).allSatisfy(size -> assertThat(size).isPositive());
    }

    @Test
    void theOnlyReplicaNeedsNoElectionAndNoReassignment() {
        Java.createTopic(node.bootstrap(), "single", 1, Map.of());
        TopicPartition partition = new TopicPartition("single", 0);

        Optional<Throwable> election = Java.get(admin.electLeaders(ElectionType.PREFERRED, Set.of(partition))
                        .partitions())
                .get(partition);
        Java.get(admin.alterPartitionReassignments(
                        Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(broker())))))
                .all());

        assertThat(election).containsInstanceOf(ElectionNotNeededException.class);
        assertThat(Java.get(admin.listPartitionReassignments().reassignments())).isEmpty();
        assertThat(Java.failureOf(admin.alterPartitionReassignments(
                                Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(4711)))))
                        .all()))
                .isInstanceOf(InvalidReplicaAssignmentException.class);
    }

    // ---- steps

    private static List<String> read(KafkaConsumer<String, String> consumer, int count) {
        List<String> values = new ArrayList<>();
        Java.await("another record", () -> {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                values.add(record.value());
            }
            return values.size() >= count;
        });
        return values;
    }

    private static void createWhenGone(String topic) {
        Java.await("the topic is gone", () -> {
            try {
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1)))
                        .all()
                        .get();
                return true;
            } catch (ExecutionException stillThere) {
                return false;
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        });
    }

    private static Set<Errors> fetch(Uuid topicId) throws IOException {
        FetchRequestData request = new FetchRequestData()
                .setMaxWaitMs(10)
                .setMaxBytes(1000)
                .setTopics(List.of(new FetchTopic()
                        .setTopicId(topicId)
                        .setPartitions(List.of(
                                new FetchPartition().setCurrentLeaderEpoch(-1).setPartitionMaxBytes(1000)))));
        try (Wire wire = new Wire(node.bootstrap())) {
            return wire.ask(ApiKeys.FETCH, 13, request).errorCounts().keySet();
        }
    }

    private static TopicDescription describe(String topic) {
        return Java.get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
    }

    private static Throwable refusalOf(NewTopic topic) {
        return Java.failureOf(admin.createTopics(List.of(topic)).all());
    }

    private static Config config(ConfigResource resource) {
        return Java.get(admin.describeConfigs(List.of(resource)).all()).get(resource);
    }

    private static void alter(ConfigResource resource, ConfigEntry entry, AlterConfigOp.OpType operation) {
        Java.get(admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(entry, operation))))
                .all());
    }

    private static int broker() {
        return Java.get(admin.describeCluster().nodes()).stream()
                .map(org.apache.kafka.common.Node::id)
                .collect(Collectors.toList())
                .get(0);
    }
}
