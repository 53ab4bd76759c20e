package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.partition.Partition;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The errors that a user of Kafka's Java producer sees. */
class JavaProducerTest {
    private final FakeCluster cluster = new FakeCluster();
    private final FakePartitions partitions = new FakePartitions();
    private final Deadlines deadlines = new Deadlines();
    private LoopbackServer server;

    @BeforeEach
    void start() throws Exception {
        server = new LoopbackServer();
        cluster.at("127.0.0.1", server.port());
        cluster.topic("t", 1);
        server.serve(Served.all(
                cluster,
                new FakeAdmin(cluster),
                partitions,
                new FakeGroups(),
                deadlines,
                server.apis(),
                new FakeConfigs(cluster),
                new FakeAuthentication(),
                FakeQuotas.none(),
                FakeAuthorization.open()));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        deadlines.close();
    }

    @Test
    void aTransactionalProducerFailsAtOnceWithTheReason() {
        try (KafkaProducer<String, String> producer = producer(Map.of("transactional.id", "mine"))) {
            assertThatThrownBy(producer::initTransactions)
                    .isInstanceOf(KafkaException.class)
                    .hasStackTraceContaining("This broker has no transactions yet");
        }
    }

    @Test
    void anIdempotentProducerWaitsForItsId() throws Exception {
        FakePartition partition = partitions.lead("t", 0);
        partition.answer(CompletableFuture.completedFuture(new Partition.Appended(33, 33, -1, 0)));
        partitions.producerId(CompletableFuture.failedFuture(
                ErrorCode.COORDINATOR_NOT_AVAILABLE.because("there is no controller yet")));
        try (KafkaProducer<String, String> producer = producer(Map.of("enable.idempotence", "true"))) {
            var sent = producer.send(new ProducerRecord<>("t", "value"));
            TimeUnit.MILLISECONDS.sleep(300);
            assertThat(sent).isNotDone();

            partitions.producerId(CompletableFuture.completedFuture(4711L));

            RecordMetadata where = sent.get(60, TimeUnit.SECONDS);
            assertThat(where.offset()).isEqualTo(33);
            assertThat(partition.appended).hasSize(1);
        }
    }

    private KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> config = new java.util.HashMap<>(more);
        config.put("bootstrap.servers", server.address());
        config.put("max.block.ms", 10_000);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }
}
