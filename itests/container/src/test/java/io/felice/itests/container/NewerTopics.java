package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Topics that an older version may not serve. It must leave them as they are. */
record NewerTopics(String bootstrap) {
    private static final int KEYS = 100;
    private static final int VALUES_PER_KEY = 20;
    private static final Map<String, Map<String, String>> CONFIGS = Map.of(
            "newer-compacted",
            Map.of("cleanup.policy", "compact", "segment.ms", "500", "min.cleanable.dirty.ratio", "0.01"),
            "newer-mvstore",
            Map.of("storage.engine", "mvstore"));

    void create() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
                KafkaProducer<String, String> producer = new KafkaProducer<>(
                        Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            List<NewTopic> topics = CONFIGS.entrySet().stream()
                    .map(topic -> new NewTopic(topic.getKey(), 1, (short) 1).configs(topic.getValue()))
                    .toList();
            admin.createTopics(topics).all().get();
            for (String topic : CONFIGS.keySet()) {
                for (int number = 0; number < KEYS * VALUES_PER_KEY; number++) {
                    producer.send(new ProducerRecord<>(
                            topic, 0, Integer.toString(number % KEYS), Integer.toString(number / KEYS)));
                }
            }
            producer.flush();
        }
    }

    /** Fails if a key has not the value that was written last. */
    void mustBeThere() throws Exception {
        Map<String, String> latest = new TreeMap<>();
        for (int key = 0; key < KEYS; key++) {
            latest.put(Integer.toString(key), Integer.toString(VALUES_PER_KEY - 1));
        }
        for (String topic : CONFIGS.keySet()) {
            assertThat(read(new TopicPartition(topic, 0))).as(topic).isEqualTo(latest);
        }
    }

    private Map<String, String> read(TopicPartition partition) throws Exception {
        Map<String, String> latest = new TreeMap<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            Eventually.await("reading " + partition, () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> latest.put(record.key(), record.value()));
                return consumer.position(partition) >= end;
            });
        }
        return latest;
    }
}
