package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.security.Users;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kafka's Java clients on a listener with SASL. */
class SaslTest {
    private static final String TABLE = "network.connections";
    private static final String LISTENER = "SASL_PLAINTEXT";
    private static final long LONG = 3_600_000;

    private FeliceNode node;

    @AfterEach
    void stop() {
        node.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})
    void aClientWithTheRightPasswordProducesAndConsumes(String mechanism) {
        node = start(LONG);

        writeAndRead(settings(mechanism, "secret"), 20, 0);

        assertThat(count("logins")).isPositive();
        assertThat(count("refused.logins")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})
    void aClientWithAWrongPasswordIsRefused(String mechanism) {
        node = start(LONG);
        try (Admin admin = Admin.create(settings(mechanism, "wrong"))) {
            assertThatThrownBy(() -> admin.describeCluster().nodes().get())
                    .hasCauseInstanceOf(SaslAuthenticationException.class);
        }
        assertThat(count("refused.logins")).isPositive();
        assertThat(count("logins")).isZero();
    }

    @Test
    void aClientThatWantsAnotherMechanismLearnsWhichThereAre() {
        node = start(LONG, "PLAIN");
        try (Admin admin = Admin.create(settings("SCRAM-SHA-256", "secret"))) {
            assertThatThrownBy(() -> admin.describeCluster().nodes().get())
                    .hasCauseInstanceOf(UnsupportedSaslMechanismException.class)
                    .hasMessageContaining("[PLAIN]");
        }
    }

    @Test
    void aClientWithoutSaslIsNotServed() {
        node = start(LONG);
        Map<String, Object> plain = new HashMap<>();
        plain.put("bootstrap.servers", node.bootstrap());
        plain.put("default.api.timeout.ms", 3000);
        plain.put("request.timeout.ms", 1000);
        try (Admin admin = Admin.create(plain)) {
            assertThatThrownBy(() -> admin.describeCluster().nodes().get()).isNotNull();
        }
        assertThat(count("not.logged.in")).isPositive();
    }

    /** The producer and the consumer extend their sessions several times meanwhile. */
    @Test
    void aClientExtendsItsSessionWhileItIsUsed() {
        node = start(2000);

        writeAndRead(settings("SCRAM-SHA-256", "secret"), 30, 250);

        assertThat(count("logins")).isGreaterThan(count("accepted"));
    }

    private void writeAndRead(Map<String, Object> settings, int records, long pauseMs) {
        TopicPartition partition = new TopicPartition("t", 0);
        try (Admin admin = Admin.create(settings);
                KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), settings);
                KafkaConsumer<String, String> consumer = Java.textConsumer(node.bootstrap(), settings)) {
            Java.get(
                    admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all());
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            for (int i = 0; i < records; i++) {
                Java.get(producer.send(new ProducerRecord<>("t", 0, null, "value " + i)));
                assertThat(next(consumer).value()).isEqualTo("value " + i);
                pause(pauseMs);
            }
        }
    }

    private static ConsumerRecord<String, String> next(KafkaConsumer<String, String> consumer) {
        for (int attempt = 0; attempt < 100; attempt++) {
            for (ConsumerRecord<String, String> record : consumer.poll(java.time.Duration.ofMillis(500))) {
                return record;
            }
        }
        throw new AssertionError("no record");
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private long count(String column) {
        return (long) node.status(TABLE).cell(LISTENER, column).orElseThrow();
    }

    private static FeliceNode start(long sessionMs) {
        return start(sessionMs, "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512");
    }

    private static FeliceNode start(long sessionMs, String mechanisms) {
        FeliceNode node = FeliceNode.inMemory()
                .config("io.felice.network", "listeners", LISTENER + "://127.0.0.1:0")
                .config("io.felice.network", "sasl.enabled.mechanisms", mechanisms)
                .config("io.felice.network", "connections.max.reauth.ms", sessionMs)
                .start();
        node.service(Users.class)
                .setPassword("alice", "secret".getBytes(StandardCharsets.UTF_8))
                .toCompletableFuture()
                .join();
        return node;
    }

    private Map<String, Object> settings(String mechanism, String password) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", node.bootstrap());
        settings.put("security.protocol", "SASL_PLAINTEXT");
        settings.put("sasl.mechanism", mechanism);
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        settings.put(
                "sasl.jaas.config",
                "org.apache.kafka.common.security." + module + " required username=\"alice\" password=\"" + password
                        + "\";");
        return settings;
    }
}
