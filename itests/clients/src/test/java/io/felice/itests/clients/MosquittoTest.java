package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Users;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code mosquitto_pub} and {@code mosquitto_sub} on one side, Kafka's clients on the other. */
@Timeout(120)
class MosquittoTest {
    @TempDir
    Path directory;

    private static List<String> command(MqttNode node, String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(program, "-h", "127.0.0.1", "-p", "" + node.port()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static void publish(MqttNode node, String... arguments) {
        Programs.run(command(node, "mosquitto_pub", arguments), Path.of("."));
    }

    /** Exits when it has got so many messages. */
    private Process subscriber(MqttNode node, Path output, int count, String... arguments) throws IOException {
        List<String> command = command(node, "mosquitto_sub", "-C", "" + count, "-v");
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    @Test
    void bothVersionsPublishAndSubscribe() throws Exception {
        try (MqttNode node = MqttNode.start()) {
            for (String version : List.of("mqttv311", "mqttv5")) {
                Path output = directory.resolve(version);
                Process subscriber = subscriber(node, output, 3, "-V", version, "-q", "1", "-t", version + "/#");
                // A message reaches only those that have subscribed before.
                Java.await("it is subscribed", () -> {
                    publish(node, "-V", version, "-q", "1", "-t", version + "/a", "-m", "text");
                    return read(output).contains("text");
                });
                publish(node, "-V", version, "-q", "0", "-t", version + "/b/c", "-m", "1");
                publish(node, "-V", version, "-q", "1", "-t", version + "/b/c", "-m", "2");

                assertThat(subscriber.waitFor(60, TimeUnit.SECONDS)).isTrue();
                assertThat(read(output)).contains(version + "/a text");
            }
            assertThat(node.records("mqtt")).extracting(ConsumerRecord::key).contains("mqttv5/b/c", "mqttv311/a");
        }
    }

    private static String read(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException notYet) {
            return "";
        }
    }

    @Test
    void usersLogInAndMayDoWhatTheAclsOfKafkasTopicsSay() throws Exception {
        FeliceNode.Builder builder = FeliceNode.inMemory()
                .config("io.felice.network", "listener.security.protocol.map", "MQTT:SASL_PLAINTEXT")
                .config("io.felice.security", "connection.failed.authentication.delay.ms", 0)
                .config("io.felice.security", "authorizer", "acl")
                .config("io.felice.security", "super.users", "User:ANONYMOUS");
        try (MqttNode node = MqttNode.start(builder)) {
            node.createTopic("measurements");
            node.createTopic("mqtt");
            Users users = node.felice().service(Users.class);
            users.setPassword("alice", MqttNode.bytes("secret"))
                    .toCompletableFuture()
                    .join();
            try (Admin admin = Java.admin(node.bootstrap())) {
                Java.get(admin.createAcls(SecuredNode.acls(
                                "alice", "measurements", org.apache.kafka.common.acl.AclOperation.WRITE))
                        .all());
            }

            publish(node, "-V", "mqttv5", "-u", "alice", "-P", "secret", "-q", "1", "-t", "sensors/a", "-m", "1");
            assertThat(failure(node, "-V", "mqttv5", "-q", "1", "-t", "sensors/a", "-m", "2"))
                    .contains("Bad User Name or Password");
            assertThat(failure(node, "-u", "alice", "-P", "wrong", "-q", "1", "-t", "sensors/a", "-m", "3"))
                    .contains("Connection Refused");
            publish(node, "-V", "mqttv5", "-u", "alice", "-P", "secret", "-q", "1", "-t", "other", "-m", "4");
            assertThat(subscription(node)).contains("All subscription requests were denied");

            assertThat(node.records("measurements"))
                    .extracting(ConsumerRecord::value)
                    .containsExactly("1");
            assertThat(node.records("mqtt")).isEmpty();
            assertThat(node.counted("refused")).isEqualTo(1);
        }
    }

    private String subscription(MqttNode node) throws Exception {
        Path output = directory.resolve("denied");
        Process process = subscriber(
                node, output, 1, "-V", "mqttv5", "-u", "alice", "-P", "secret", "-q", "1", "-t", "sensors/#");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return read(output);
    }

    private static String failure(MqttNode node, String... arguments) {
        try {
            publish(node, arguments);
        } catch (AssertionError failure) {
            return failure.getMessage();
        }
        throw new AssertionError("the message was accepted: " + List.of(arguments));
    }
}
