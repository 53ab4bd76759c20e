package io.felice.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(FeliceExtension.class)
class FeliceExtensionTest {
    private final EmbeddedNode node;

    FeliceExtensionTest(EmbeddedNode node) {
        this.node = node;
    }

    private KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> settings = new java.util.HashMap<>(more);
        settings.put("bootstrap.servers", node.bootstrap());
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    private List<String> valuesOf(String topic, int records) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", node.bootstrap(), "group.id", topic + "-readers", "auto.offset.reset", "earliest");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            List<String> values = new java.util.ArrayList<>();
            while (values.size() < records) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    values.add(record.value());
                }
            }
            return values;
        }
    }

    @Test
    void whatIsSentIsReadByAGroup() throws Exception {
        try (KafkaProducer<String, String> producer = producer(Map.of("compression.type", "zstd"))) {
            producer.send(new ProducerRecord<>("orders", "one")).get();
            producer.send(new ProducerRecord<>("orders", "two")).get();
        }

        assertThat(valuesOf("orders", 2)).containsExactly("one", "two");
    }

    @Test
    void theClassPathOfTheTestHasNoPartOfTheNode() {
        URL part = getClass().getResource("/io/felice/broker/Broker.class");

        assertThat(part).isNull();
    }

    @Test
    void aClientRetriesARequestThatIsRefused() throws Exception {
        node.refuse("PRODUCE", 2, "NOT_LEADER_OR_FOLLOWER");

        try (KafkaProducer<String, String> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>("refused", "in the end")).get();
        }

        assertThat(valuesOf("refused", 1)).containsExactly("in the end");
    }

    @Test
    void aClientThatDoesNotRetrySeesTheError() {
        try (KafkaProducer<String, String> producer = producer(Map.of("retries", 0, "enable.idempotence", false))) {
            node.refuse("PRODUCE", 1, "NOT_LEADER_OR_FOLLOWER");
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("final", "never"))
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(NotLeaderOrFollowerException.class);

            node.refuse("PRODUCE", 1, "TOPIC_AUTHORIZATION_FAILED");
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("final", "never"))
                            .get())
                    .hasCauseInstanceOf(TopicAuthorizationException.class);
        }
    }

    @Test
    void anIdempotentProducerThatGetsNoAnswerWritesOnce() throws Exception {
        node.dropAnswers("PRODUCE", 1);

        try (KafkaProducer<String, String> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>("once", "one")).get();
            producer.send(new ProducerRecord<>("once", "two")).get();
        }

        assertThat(valuesOf("once", 2)).containsExactly("one", "two");
    }

    @Test
    void aConnectionThatIsDroppedIsMadeAgain() throws Exception {
        node.drop("METADATA", 1);
        node.delay("PRODUCE", 1, Duration.ofMillis(50));

        try (KafkaProducer<String, String> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>("again", "one")).get();
        }

        assertThat(valuesOf("again", 1)).containsExactly("one");
    }

    @Test
    void aBundleIsRestartedWhileAClientWrites() throws Exception {
        try (KafkaProducer<String, String> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>("swapped", "before")).get();
            node.restart("io.felice.broker");
            producer.send(new ProducerRecord<>("swapped", "after")).get();
        }

        assertThat(valuesOf("swapped", 2)).containsExactly("before", "after");
    }

    @Test
    void aNameThatKafkaDoesNotHaveIsRefused() {
        assertThatThrownBy(() -> node.drop("PRODUCES", 1)).hasMessageContaining("PRODUCES");
        assertThatThrownBy(() -> node.refuse("PRODUCE", 1, "NO_SUCH_ERROR")).hasMessageContaining("NO_SUCH_ERROR");
    }
}
