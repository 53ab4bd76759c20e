package io.felice.itests.inside;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's own client from the bundle {@code io.felice.protocol}. It connects to the broker over TCP. */
record Client(String bootstrap) {
    private static final long PATIENCE_SECONDS = 120;
    private static final ConfigResource LOGGERS = new ConfigResource(ConfigResource.Type.BROKER_LOGGER, "0");

    Client {
        // Kafka's client loads the classes that its configuration names with this class loader.
        Thread.currentThread().setContextClassLoader(KafkaProducer.class.getClassLoader());
    }

    void create(String topic, String engine) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            NewTopic wanted = new NewTopic(topic, 1, (short) 1).configs(Map.of("storage.engine", engine));
            admin.createTopics(Set.of(wanted)).all().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Sends the value once. If the broker refuses it, this fails at once, without a retry. */
    void send(String topic, String value) throws Exception {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", bootstrap, "acks", "all", "enable.idempotence", false, "retries", 0);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, value)).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** The values between the start of the topic and its end at the time of the call. */
    List<String> read(String topic) {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap), new StringDeserializer(), new StringDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            List<String> values = new ArrayList<>();
            while (consumer.position(partition) < end && System.nanoTime() < patience) {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> values.add(record.value()));
            }
            return values;
        }
    }

    void setLevel(String logger, String level) throws Exception {
        change(new AlterConfigOp(new ConfigEntry(logger, level), AlterConfigOp.OpType.SET));
    }

    void removeLevel(String logger) throws Exception {
        change(new AlterConfigOp(new ConfigEntry(logger, ""), AlterConfigOp.OpType.DELETE));
    }

    private void change(AlterConfigOp level) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.incrementalAlterConfigs(Map.of(LOGGERS, List.of(level)))
                    .all()
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** The effective level of each logger that has a level. */
    Map<String, String> levels() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            return admin
                    .describeConfigs(List.of(LOGGERS))
                    .all()
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .get(LOGGERS)
                    .entries()
                    .stream()
                    .collect(Collectors.toMap(ConfigEntry::name, ConfigEntry::value));
        }
    }
}
