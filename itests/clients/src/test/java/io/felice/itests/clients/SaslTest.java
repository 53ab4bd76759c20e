package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import io.felice.testkit.FeliceNode;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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

    @Test
    void aClientWithTheRightPasswordProducesAndConsumes() {
        node = start(LONG);

        writeAndRead(20, 0);

        assertThat(count("logins")).isPositive();
        assertThat(count("refused.logins")).isZero();
    }

    @Test
    void aClientWithAWrongPasswordLearnsWhy() {
        node = start(LONG);
        try (Admin admin = Admin.create(settings("PLAIN", "wrong"))) {
            assertThatThrownBy(() -> admin.describeCluster().nodes().get())
                    .hasCauseInstanceOf(SaslAuthenticationException.class)
                    .hasMessageContaining("no user has this name and password");
        }
        assertThat(count("refused.logins")).isPositive();
        assertThat(count("logins")).isZero();
    }

    @Test
    void aClientThatWantsAnotherMechanismLearnsWhichThereAre() {
        node = start(LONG);
        Map<String, Object> scram = settings("SCRAM-SHA-256", "secret");
        scram.put("sasl.jaas.config", jaas("scram.ScramLoginModule", "secret"));
        try (Admin admin = Admin.create(scram)) {
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

        writeAndRead(30, 250);

        assertThat(count("logins")).isGreaterThan(count("accepted"));
    }

    private void writeAndRead(int records, long pauseMs) {
        Map<String, Object> settings = settings("PLAIN", "secret");
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
        return FeliceNode.inMemory()
                .service(Authentication.class, new OnePassword())
                .config("io.felice.network", "listeners", LISTENER + "://127.0.0.1:0")
                .config("io.felice.network", "sasl.enabled.mechanisms", "PLAIN")
                .config("io.felice.network", "connections.max.reauth.ms", sessionMs)
                .start();
    }

    private Map<String, Object> settings(String mechanism, String password) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", node.bootstrap());
        settings.put("security.protocol", "SASL_PLAINTEXT");
        settings.put("sasl.mechanism", mechanism);
        settings.put("sasl.jaas.config", jaas("plain.PlainLoginModule", password));
        return settings;
    }

    private static String jaas(String module, String password) {
        return "org.apache.kafka.common.security." + module + " required username=\"alice\" password=\"" + password
                + "\";";
    }

    /** PLAIN (RFC 4616) with one user. */
    private static final class OnePassword implements Authentication {
        @Override
        public Set<String> mechanisms() {
            return Set.of("PLAIN");
        }

        @Override
        public Login begin(String mechanism, Authenticator.Client client) {
            return new Login() {
                @Override
                public CompletionStage<Authenticator.Reply> respond(byte[] message) {
                    boolean right = new String(message, StandardCharsets.UTF_8).equals("\0alice\0secret");
                    return right
                            ? CompletableFuture.completedFuture(new Authenticator.Authenticated(
                                    new byte[0], Principal.user("alice"), Optional.empty()))
                            : CompletableFuture.failedFuture(
                                    ErrorCode.SASL_AUTHENTICATION_FAILED.because("no user has this name and password"));
                }

                @Override
                public void close() {}
            };
        }
    }
}
