package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C stops a node under load. No acknowledged record is lost, and the next start has nothing to recover. */
class CtrlCTest {
    private static final String REPEATED = "repeated";
    private static final String ONCE = "once";
    private static final int RECORDS = 2000;
    private static final long STOP_SECONDS = 120;

    @TempDir
    Path directory;

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private Launcher node;
    private Process terminal;
    private String bootstrap;

    @BeforeEach
    void start() throws Exception {
        int port = Ports.free();
        bootstrap = "127.0.0.1:" + port;
        node = Launcher.of(Archive.installation(), directory.resolve("data")).listeningOn(port, Ports.free());
        terminal = node.spawn(output(), "run");
        Eventually.await("the start", () -> Files.readString(output()).contains("Stop: Ctrl-C") || !terminal.isAlive());
        assertThat(terminal.isAlive())
                .as(Files.readString(output()) + node.log())
                .isTrue();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(
                            new NewTopic(REPEATED, Traffic.PARTITIONS, (short) 1), new NewTopic(ONCE, 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    @AfterEach
    void stop() throws Exception {
        if (terminal.isAlive()) {
            Launcher.pressCtrlC(terminal);
            terminal.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
        }
        if (node.run("status").exitCode() != 3) {
            node.run("stop");
        }
    }

    @Test
    void noAcknowledgedRecordIsLostAndTheNextStartRecoversNothing() throws Exception {
        TrafficWriter writer = new TrafficWriter(bootstrap, REPEATED, failures);
        TrafficReader follower = TrafficReader.ofAll(bootstrap, REPEATED, failures);
        SingleAttempts attempts = new SingleAttempts(bootstrap, ONCE);
        List.of(writer, follower, attempts).forEach(Thread::start);
        Eventually.await(
                "the first records",
                () -> follower.read() >= RECORDS && attempts.acknowledged().size() >= RECORDS);

        Launcher.pressCtrlC(terminal);

        assertThat(terminal.waitFor(STOP_SECONDS, TimeUnit.SECONDS))
                .as(node.log())
                .isTrue();
        assertThat(terminal.exitValue()).isZero();
        assertThat(Files.readString(output())).endsWith("Felice stopped.\n");
        assertThat(node.data().resolve("topics/.kafka_cleanshutdown"))
                .as(node.log())
                .exists();
        long acknowledged = writer.acknowledged();
        attempts.join(TimeUnit.MINUTES.toMillis(1));
        assertThat(attempts.isAlive()).isFalse();

        Result start = node.run("start");

        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        List<Long> written = written(ONCE);
        assertThat(minus(attempts.acknowledged(), written))
                .as("records that were acknowledged but are not in the log")
                .isEmpty();
        assertThat(minus(written, attempts.acknowledged()))
                .as("records that are in the log but were not acknowledged")
                .isEmpty();
        assertThat(written)
                .as("the records in the log: each once and in order")
                .isSorted()
                .doesNotHaveDuplicates();
        mustHaveRecoveredNothing();
        Eventually.await("writing on", () -> writer.acknowledged() >= acknowledged + RECORDS);
        writer.end();
        TrafficReader fromTheBeginning = TrafficReader.ofAll(bootstrap, REPEATED, failures);
        fromTheBeginning.start();
        writer.join(TimeUnit.MINUTES.toMillis(1));
        Eventually.await(
                "reading everything",
                () -> follower.read() >= writer.sent() && fromTheBeginning.read() >= writer.sent());
        follower.end();
        fromTheBeginning.end();
        assertThat(writer.acknowledged()).isEqualTo(writer.sent());
        assertThat(failures).isEmpty();
        assertThat(node.log()).doesNotContain(" ERROR ");
    }

    private void mustHaveRecoveredNothing() throws Exception {
        List<Map<String, String>> tables = new Insides(node).table("storage.log");
        assertThat(tables).hasSize(1);
        Map<String, String> storage = tables.get(0);
        assertThat(Integer.parseInt(storage.get("logs.open"))).isGreaterThan(Traffic.PARTITIONS);
        assertThat(storage).containsEntry("recovered.logs", "0").containsEntry("recovery.scanned.bytes", "0");
    }

    private static Set<Long> minus(List<Long> numbers, List<Long> others) {
        Set<Long> rest = new TreeSet<>(numbers);
        others.forEach(rest::remove);
        return rest;
    }

    /** All records of the first partition of a topic. */
    private List<Long> written(String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        List<Long> numbers = new ArrayList<>();
        try (KafkaConsumer<byte[], Long> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap), new ByteArrayDeserializer(), new LongDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> numbers.add(record.value()));
            }
        }
        return numbers;
    }

    private Path output() {
        return directory.resolve("output");
    }
}
