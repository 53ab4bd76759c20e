package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A client over its user's quota is told so and waits. A client of another user is not told so. */
@Timeout(600)
class QuotasTest {
    private static final String LIMITED = "limited";
    private static final String FREE = "free";
    private static final String PASSWORD = "secret";
    private static final String TOPIC = "bytes";
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    /** A client may use ten times as much at once: three records are more. */
    private static final double BYTES_PER_SECOND = 10_000;

    private static final int RECORD_BYTES = 40_000;
    private static final int RECORDS = 10;

    @TempDir
    static Path directory;

    private SecuredNode node;

    @BeforeEach
    void start() {
        node = SecuredNode.start(directory, 0);
        node.createTopics(List.of(TOPIC));
        for (String user : List.of(LIMITED, FREE)) {
            node.setPassword(user, PASSWORD);
            node.allow(user, TOPIC);
        }
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void onlyTheProducerOfALimitedUserIsThrottled() {
        limit("producer_byte_rate");
        try (KafkaProducer<byte[], byte[]> limited = producer(LIMITED);
                KafkaProducer<byte[], byte[]> free = producer(FREE)) {
            Java.await("the limited producer is throttled", () -> {
                write(limited);
                return throttle(limited.metrics(), "produce-throttle-time-avg") > 0;
            });
            write(limited);

            for (int record = 0; record < RECORDS; record++) {
                write(free);
            }
            assertThat(throttle(free.metrics(), "produce-throttle-time-max")).isZero();
        }
    }

    @Test
    void onlyTheConsumerOfALimitedUserIsThrottled() {
        limit("consumer_byte_rate");
        try (KafkaProducer<byte[], byte[]> producer = producer(FREE);
                KafkaConsumer<byte[], byte[]> limited = consumer(LIMITED);
                KafkaConsumer<byte[], byte[]> free = consumer(FREE)) {
            for (int record = 0; record < RECORDS; record++) {
                write(producer);
            }
            Java.await("the limited consumer is throttled", () -> {
                limited.poll(Duration.ofMillis(200));
                return throttle(limited.metrics(), "fetch-throttle-time-avg") > 0;
            });

            Java.await("the other consumer has read all records", () -> {
                free.poll(Duration.ofMillis(200));
                return free.position(PARTITION) == RECORDS;
            });
            assertThat(throttle(free.metrics(), "fetch-throttle-time-max")).isZero();
            long before = limited.position(PARTITION);
            Java.await("the limited consumer goes on", () -> {
                limited.poll(Duration.ofMillis(200));
                return limited.position(PARTITION) > before;
            });
        }
    }

    private void limit(String quota) {
        ClientQuotaEntity user = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, LIMITED));
        ClientQuotaAlteration.Op rate = new ClientQuotaAlteration.Op(quota, BYTES_PER_SECOND);
        try (Admin admin = node.admin()) {
            Java.get(admin.alterClientQuotas(List.of(new ClientQuotaAlteration(user, List.of(rate))))
                    .all());
        }
    }

    private KafkaProducer<byte[], byte[]> producer(String user) {
        Access access = node.access(user, PASSWORD);
        return Java.producer(access.word("bootstrap"), access.ofJava());
    }

    /** It gets one record with each answer. */
    private KafkaConsumer<byte[], byte[]> consumer(String user) {
        Access access = node.access(user, PASSWORD);
        Map<String, Object> settings = new HashMap<>(access.ofJava());
        settings.put("max.partition.fetch.bytes", RECORD_BYTES);
        KafkaConsumer<byte[], byte[]> consumer = Java.consumer(access.word("bootstrap"), settings);
        consumer.assign(List.of(PARTITION));
        consumer.seekToBeginning(List.of(PARTITION));
        return consumer;
    }

    private static void write(KafkaProducer<byte[], byte[]> producer) {
        Java.get(producer.send(new ProducerRecord<>(TOPIC, new byte[RECORD_BYTES])));
    }

    /** Milliseconds; 0 while the metric has no value. */
    private static double throttle(Map<MetricName, ? extends Metric> metrics, String name) {
        return metrics.entrySet().stream()
                .filter(metric -> metric.getKey().name().equals(name))
                .mapToDouble(metric -> (double) metric.getValue().metricValue())
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElse(0);
    }
}
