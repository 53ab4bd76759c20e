package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node without one of its parts reports which part is missing, why, and the consequence. */
class HealthTest {
    private static final int SERVES = 0;
    private static final int NOT_READY = 4;
    private static final int SERVES_IN_PART = 6;

    @TempDir
    Path directory;

    private final int port = Ports.free();
    private Launcher node;

    HealthTest() throws Exception {}

    @BeforeEach
    void start() throws Exception {
        Path home = Archive.installation();
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(port, Ports.free())
                .with("FELICE_ETC", Etc.of(home, directory.resolve("etc")).toString());
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
    }

    @AfterEach
    void stop() throws Exception {
        node.run("stop");
    }

    @Test
    void aStoppedBundleIsReportedWithTheConsequence() throws Exception {
        Map<String, Integer> exitCodes = Map.of(
                "io.felice.network", NOT_READY,
                "io.felice.handlers", NOT_READY,
                "io.felice.protocol", SERVES_IN_PART,
                "io.felice.coordinator", SERVES_IN_PART,
                "io.felice.controller", SERVES_IN_PART,
                "io.felice.storage.log", SERVES_IN_PART,
                "io.felice.cluster.zookeeper", SERVES_IN_PART);

        for (Map.Entry<String, Integer> expected : exitCodes.entrySet()) {
            String bundle = expected.getKey();
            shell("bundle:stop " + bundle);
            Result without = node.run("status");
            shell("bundle:start " + bundle);

            assertThat(without.exitCode()).as(without.output()).isEqualTo(expected.getValue());
            assertThat(without.output())
                    .contains("  - The bundle " + bundle + " was stopped by hand", "bundle:start " + bundle);
            assertThat(node.log()).containsPattern(" INFO .*The bundle " + bundle + " \\S+ was stopped\n");
            Eventually.await("serving again", () -> node.run("status").exitCode() == SERVES);
        }
        mustReportAStoppedZooKeeper();
    }

    private void mustReportAStoppedZooKeeper() throws Exception {
        shell("bundle:stop io.felice.zookeeper");

        Eventually.await(
                "the report about ZooKeeper",
                () -> node.run("status").output().contains("The embedded ZooKeeper does not answer"));
        assertThat(node.run("status").exitCode()).isEqualTo(SERVES_IN_PART);
    }

    @Test
    void aBundleStoppedByHandIsReportedAtTheNextStartAndATopicWithoutItsEngineIsOffline() throws Exception {
        createIn("memory", "fleeting");
        for (String bundle : List.of("handlers", "coordinator", "storage.memory")) {
            shell("bundle:stop io.felice." + bundle);
        }
        node.run("stop");

        Path output = directory.resolve("output");
        Process start = node.spawn(output, "start");

        Eventually.await(
                "waiting",
                () -> node.log().contains("The start waits. The bundle io.felice.handlers was stopped by hand")
                        && Files.readString(output).contains("Waiting, for "));
        assertThat(node.run("status").exitCode()).isEqualTo(NOT_READY);
        shell("bundle:start io.felice.handlers");
        assertThat(start.waitFor()).as(Files.readString(output)).isZero();

        assertThat(Files.readString(output))
                .contains("Waiting, for ", "  - The bundle io.felice.handlers was stopped by hand")
                .containsPattern(
                        "Serves in part after (?s:.*)  - The bundle io.felice.coordinator was stopped by hand");
        shell("bundle:start io.felice.coordinator");
        mustBeOfflineWithoutItsEngine("fleeting");
        shell("bundle:start io.felice.storage.memory");
        Eventually.await("serving again", () -> node.run("status").exitCode() == SERVES);
    }

    private void mustBeOfflineWithoutItsEngine(String topic) throws Exception {
        String reason = "the storage engine memory is not running";
        Eventually.await("serving in part", () -> node.run("status").exitCode() == SERVES_IN_PART);
        assertThat(node.run("status").output()).contains("1 partition is offline: " + topic + "-0 (" + reason + ")");
        assertThat(new Insides(node).table("broker.offline")).singleElement().satisfies(row -> assertThat(row)
                .containsEntry("partition", topic + "-0")
                .containsEntry("reason", reason));
        try (KafkaProducer<String, String> once = new KafkaProducer<>(
                SingleAttempts.settings("127.0.0.1:" + port), new StringSerializer(), new StringSerializer())) {
            Eventually.await(
                    "the answer", () -> failureOf(once, topic).getMessage().contains(reason));
            assertThat(failureOf(once, topic)).isInstanceOf(RetriableException.class);
        }
    }

    private static Throwable failureOf(KafkaProducer<String, String> producer, String topic) {
        try {
            producer.send(new ProducerRecord<>(topic, "lost")).get();
            throw new AssertionError("a record was acknowledged without the engine of its topic");
        } catch (ExecutionException refused) {
            return refused.getCause();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private void createIn(String engine, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port))) {
            NewTopic wanted = new NewTopic(topic, 1, (short) 1).configs(Map.of("storage.engine", engine));
            admin.createTopics(List.of(wanted)).all().get();
        }
    }

    private void shell(String line) throws Exception {
        Result result = node.exec(line);
        assertThat(result.exitCode()).as(line + ": " + result.output()).isZero();
    }
}
