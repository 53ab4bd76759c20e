package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A topic config that the topic's storage engine cannot fulfil is refused, and a topic keeps its engine. */
class EngineChoiceTest {
    private static final String LOST = "do not survive a power cut";

    @TempDir
    private Path directory;

    private Node node;
    private Admin admin;

    @BeforeEach
    void start() {
        node = Node.in(directory);
        admin = Java.admin(node.bootstrap());
    }

    @AfterEach
    void stop() {
        admin.close();
        node.close();
    }

    @Test
    void aTopicInMemoryCannotBeCreatedWithDurabilityPower() {
        assertRefused(
                create("power", Map.of("storage.engine", "memory", "storage.durability", "power")),
                "storage.durability=power",
                LOST);
        assertRefused(
                create("flushed", Map.of("storage.engine", "memory", "flush.messages", "1")), "flush.messages=1", LOST);
        Java.get(create("kept", Map.of("storage.engine", "log", "storage.durability", "power")));
        assertRefused(
                create("kill", Map.of("storage.engine", "memory", "storage.durability", "kill")),
                "storage.durability=kill",
                "do not survive kill -9");
        Java.get(create("unsaid", Map.of("storage.engine", "memory")));
        Java.get(create("none", Map.of("storage.engine", "memory", "storage.durability", "none")));
    }

    @Test
    void aTopicInMemoryCannotBeChangedToDurabilityPower() {
        Java.get(create("t", Map.of("storage.engine", "memory")));

        assertRefused(alter(topic("t"), set("storage.durability", "power")), "storage.durability=power", LOST);
        assertRefused(
                alter(topic("t"), set("retention.ms", "1000"), set("flush.messages", "1")), "flush.messages=1", LOST);
        assertRefused(
                alter(topic("t"), set("storage.engine", "log"), set("storage.durability", "power")),
                "Topic t is kept by memory");
        assertThat(Java.failureOf(alter(allBrokers(), set("log.flush.interval.messages", "1"))))
                .as("the error code of Kafka for an illegal broker config")
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("Topic t cannot have flush.messages=1");
        Java.get(alter(topic("t"), set("retention.ms", "2000")));
    }

    @Test
    void theEngineOfATopicDoesNotChangeWithThePlacement() {
        Java.get(create("t", Map.of()));
        Java.write(node.bootstrap(), "t", 0, List.of("first"));

        Java.get(alter(allBrokers(), set("storage.placement", "*:memory")));

        assertRefused(alter(topic("t"), set("storage.engine", "memory")), "Topic t is kept by log");
        assertThat(Java.failureOf(create("t", Map.of()))).isInstanceOf(TopicExistsException.class);
        assertRefused(create("new", Map.of("storage.durability", "power")), LOST);
        Java.get(
                admin.createPartitions(Map.of("t", NewPartitions.increaseTo(2))).all());
        Java.get(alter(topic("t"), set("storage.engine", "log"), set("storage.durability", "power")));
        Java.write(node.bootstrap(), "t", 0, List.of("second"));
        Java.write(node.bootstrap(), "t", 1, List.of("in the new partition"));
        assertThat(Java.values(node.bootstrap(), "t", 0)).containsExactly("first", "second");
        assertThat(Java.get(admin.describeLogDirs(List.of(0)).allDescriptions())
                        .get(0)
                        .values())
                .as("one engine has both partitions")
                .filteredOn(engine -> engine.replicaInfos().keySet().stream()
                        .anyMatch(partition -> partition.topic().equals("t")))
                .singleElement()
                .satisfies(engine -> assertThat(engine.replicaInfos())
                        .containsKeys(new TopicPartition("t", 0), new TopicPartition("t", 1)));
    }

    private KafkaFuture<Void> create(String name, Map<String, String> configs) {
        return admin.createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(configs)))
                .all();
    }

    private KafkaFuture<Void> alter(ConfigResource resource, AlterConfigOp... changes) {
        return admin.incrementalAlterConfigs(Map.of(resource, List.of(changes))).all();
    }

    private static AlterConfigOp set(String key, String value) {
        return new AlterConfigOp(new ConfigEntry(key, value), OpType.SET);
    }

    private static ConfigResource topic(String name) {
        return new ConfigResource(ConfigResource.Type.TOPIC, name);
    }

    private static ConfigResource allBrokers() {
        return new ConfigResource(ConfigResource.Type.BROKER, "");
    }

    private static void assertRefused(KafkaFuture<Void> asked, String... saying) {
        assertThat(Java.failureOf(asked))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContainingAll(saying);
    }
}
