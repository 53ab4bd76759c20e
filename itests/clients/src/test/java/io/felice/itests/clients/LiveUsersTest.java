package io.felice.itests.clients;

import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.rig.Java;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Users and ACLs are changed while their clients are connected. */
@Timeout(600)
class LiveUsersTest {
    private static final String ALICE = "alice";
    private static final String TOPIC = "orders";
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    private static final ScramCredentialInfo SCRAM = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);

    @TempDir
    static Path directory;

    private SecuredNode node;

    @AfterEach
    void stop() {
        node.close();
    }

    private void start(long sessionMs) {
        node = SecuredNode.start(directory, sessionMs);
        node.createTopics(List.of(TOPIC));
        node.allow(ALICE, TOPIC);
    }

    @Test
    void aConnectedClientGoesOnWhileItsPasswordIsChangedAndNewLoginsNeedTheNewOne() {
        start(0);
        alter(new UserScramCredentialUpsertion(ALICE, SCRAM, "first"));
        try (KafkaProducer<String, String> connected = producer("first")) {
            write(connected);

            alter(new UserScramCredentialUpsertion(ALICE, SCRAM, "second"));

            write(connected);
            assertRefused("first");
            try (KafkaProducer<String, String> other = producer("second")) {
                write(other);
            }
            assertThat(read("second")).hasSize(3);
        }
    }

    @Test
    void aConnectedClientGoesOnWhenItsUserIsDeletedAndNewLoginsAreRefusedUntilTheUserIsMadeAgain() {
        start(0);
        assertRefused("secret");
        alter(new UserScramCredentialUpsertion(ALICE, SCRAM, "secret"));
        try (KafkaProducer<String, String> connected = producer("secret")) {
            write(connected);

            alter(new UserScramCredentialDeletion(ALICE, ScramMechanism.SCRAM_SHA_256));

            write(connected);
            assertRefused("secret");
            alter(new UserScramCredentialUpsertion(ALICE, SCRAM, "secret"));
            assertThat(read("secret")).hasSize(2);
        }
    }

    @Test
    void aDeletedUserIsOutWhenItsClientHasToLogInAgainAndOthersGoOn() {
        start(2_000);
        node.allow("bob", TOPIC);
        alter(
                new UserScramCredentialUpsertion(ALICE, SCRAM, "secret"),
                new UserScramCredentialUpsertion("bob", SCRAM, "secret"));
        try (Admin ofAlice = Admin.create(node.access(ALICE, "secret").ofJava());
                KafkaProducer<String, String> ofBob = producer("bob", "secret")) {
            Java.get(ofAlice.describeCluster().nodes());
            write(ofBob);

            alter(new UserScramCredentialDeletion(ALICE, ScramMechanism.SCRAM_SHA_256));

            Java.await("the session of alice has ended", () -> {
                write(ofBob);
                return failureOf(ofAlice.describeCluster().nodes()) instanceof SaslAuthenticationException;
            });
            write(ofBob);
        }
    }

    @Test
    void aConsumerLosesItsRightAtOnceAndGoesOnWhenItHasItAgain() {
        start(0);
        alter(new UserScramCredentialUpsertion(ALICE, SCRAM, "secret"));
        List<AclBinding> right = SecuredNode.acls(ALICE, TOPIC, READ);
        try (Admin admin = node.admin();
                KafkaProducer<String, String> producer = producer("secret");
                KafkaConsumer<String, String> consumer = consumer("secret")) {
            consumer.assign(List.of(PARTITION));
            consumer.seekToBeginning(List.of(PARTITION));
            write(producer);
            awaitRecord(consumer);

            Java.get(admin.deleteAcls(List.of(right.get(0).toFilter())).all());

            assertThatThrownBy(() -> pollForEver(consumer)).isInstanceOf(TopicAuthorizationException.class);
            Java.get(admin.createAcls(right).all());
            write(producer);
            awaitRecord(consumer);
        }
    }

    private static void pollForEver(KafkaConsumer<String, String> consumer) {
        Java.await("a refusal", () -> {
            consumer.poll(Duration.ofMillis(200));
            return false;
        });
    }

    private void alter(UserScramCredentialAlteration... alterations) {
        try (Admin admin = node.admin()) {
            Java.get(admin.alterUserScramCredentials(List.of(alterations)).all());
        }
    }

    private void assertRefused(String password) {
        try (Admin admin = Admin.create(node.access(ALICE, password).ofJava())) {
            assertThat(Java.failureOf(admin.describeCluster().nodes())).isInstanceOf(SaslAuthenticationException.class);
        }
    }

    private List<String> read(String password) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(password)) {
            consumer.assign(List.of(PARTITION));
            consumer.seekToBeginning(List.of(PARTITION));
            long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
            Java.await("all records are read", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
                return values.size() >= end;
            });
        }
        return values;
    }

    private static void awaitRecord(KafkaConsumer<String, String> consumer) {
        Java.await("a record", () -> !consumer.poll(Duration.ofMillis(200)).isEmpty());
    }

    private KafkaProducer<String, String> producer(String password) {
        return producer(ALICE, password);
    }

    private KafkaProducer<String, String> producer(String user, String password) {
        return Java.textProducer(
                node.access(user, password).word("bootstrap"),
                node.access(user, password).ofJava());
    }

    private KafkaConsumer<String, String> consumer(String password) {
        Map<String, Object> settings =
                new HashMap<>(node.access(ALICE, password).ofJava());
        settings.put("group.id", TOPIC);
        settings.put("enable.auto.commit", "false");
        return Java.textConsumer(node.access(ALICE, password).word("bootstrap"), settings);
    }

    private static void write(KafkaProducer<String, String> producer) {
        Java.get(producer.send(new ProducerRecord<>(TOPIC, "value")));
    }

    /** Null if there is none. */
    private static Throwable failureOf(KafkaFuture<?> future) {
        try {
            future.get();
            return null;
        } catch (ExecutionException failure) {
            return failure.getCause();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
