package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A full storage engine: which errors clients see until there is room, and that no record is lost or written twice.
 */
@Timeout(180)
class FullEngineTest {
    private static final String VALUE = "x".repeat(10_000);

    private static Node node;
    private static Admin admin;

    @BeforeAll
    static void start() {
        assumeFalse(Node.isOracle(), "a memory engine is Felice's own");
        node = Node.of(FeliceNode.inMemory().config("io.felice.storage.memory", "bytes", 1_000_000L));
        admin = Java.admin(node.bootstrap());
    }

    @AfterAll
    static void stop() {
        if (node != null) {
            admin.close();
            node.close();
        }
    }

    @Test
    void refusedRecordsAreWrittenOnceOtherRecordsAreDeleted() throws Exception {
        TopicPartition orders = created("orders");
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of("linger.ms", 0))) {
            List<Future<RecordMetadata>> sent = sendUntilFull(producer, "orders");
            assertThat(Java.values(node.bootstrap(), "orders", 0)).isNotEmpty().allMatch(VALUE::equals);
            assertThat(stateOfEngine()).isEqualTo(true);

            Java.get(admin.deleteRecords(Map.of(orders, RecordsToDelete.beforeOffset(40)))
                    .all());

            arriveInOrder(sent);
        }
        assertThat(stateOfEngine()).isEqualTo(false);
    }

    @Test
    void refusedRecordsAreWrittenOnceRetentionHasFreedSpace() throws Exception {
        created("clicks");
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of("linger.ms", 0))) {
            List<Future<RecordMetadata>> sent = sendUntilFull(producer, "clicks");

            configure("clicks", "retention.bytes", "200000");

            arriveInOrder(sent);
        }
    }

    private static TopicPartition created(String topic) {
        Java.createTopic(node.bootstrap(), topic, 1, Map.of("segment.bytes", "50000"));
        return new TopicPartition(topic, 0);
    }

    /** Sends records until one is not acknowledged and the engine is full, then sends five more. */
    private static List<Future<RecordMetadata>> sendUntilFull(KafkaProducer<String, String> producer, String topic)
            throws ExecutionException, InterruptedException {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        while (true) {
            sent.add(producer.send(new ProducerRecord<>(topic, 0, null, VALUE)));
            while (!isAnswered(sent.get(sent.size() - 1))) {
                if (stateOfEngine().equals(true)) {
                    for (int more = 0; more < 5; more++) {
                        sent.add(producer.send(new ProducerRecord<>(topic, 0, null, VALUE)));
                    }
                    return sent;
                }
            }
        }
    }

    private static boolean isAnswered(Future<RecordMetadata> sent) throws ExecutionException, InterruptedException {
        try {
            sent.get(2, TimeUnit.SECONDS);
            return true;
        } catch (TimeoutException notYet) {
            return false;
        }
    }

    private static void arriveInOrder(List<Future<RecordMetadata>> sent) {
        for (int i = 0; i < sent.size(); i++) {
            assertThat(Java.get(sent.get(i)).offset()).isEqualTo(i);
        }
    }

    private static void configure(String topic, String key, String value) {
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
        Java.get(admin.incrementalAlterConfigs(
                        Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(set)))
                .all());
    }

    private static Object stateOfEngine() {
        return node.felice().status("broker.storage").cell("memory", "full").orElseThrow();
    }
}
