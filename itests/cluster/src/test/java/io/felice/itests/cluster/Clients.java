package io.felice.itests.cluster;

import io.felice.itests.rig.Java;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Kafka's Java clients with short waits: they look for another broker at once when one is gone. */
final class Clients {
    private static final Map<String, Object> IMPATIENT = Map.of(
            "reconnect.backoff.ms", 10,
            "reconnect.backoff.max.ms", 50,
            "retry.backoff.ms", 10,
            "retry.backoff.max.ms", 50,
            "metadata.recovery.strategy", "none");

    private Clients() {}

    static Map<String, Object> with(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(IMPATIENT);
        all.putAll(more);
        return all;
    }

    static Admin admin(String bootstrap) {
        return Admin.create(with(Map.of("bootstrap.servers", bootstrap)));
    }

    static void createTopic(String bootstrap, String topic, int partitions, int replicas, Map<String, String> configs) {
        try (Admin admin = admin(bootstrap)) {
            NewTopic wanted = new NewTopic(topic, partitions, (short) replicas).configs(configs);
            Java.get(admin.createTopics(List.of(wanted)).all());
        }
    }

    /** Writes with acks=all and returns when all records are acknowledged. */
    static void write(String bootstrap, String topic, List<String> values) {
        try (KafkaProducer<String, String> producer = Java.textProducer(bootstrap, with(Map.of("acks", "all")))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            values.forEach(value -> sent.add(producer.send(new ProducerRecord<>(topic, value))));
            sent.forEach(Java::get);
        }
    }

    /** The values of the next records that a consumer gets, as many as are wanted. */
    static List<String> poll(KafkaConsumer<String, String> consumer, int wanted) {
        List<String> values = new ArrayList<>();
        Java.await(wanted + " records come", () -> {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                values.add(record.value());
            }
            return values.size() >= wanted;
        });
        return values;
    }
}
