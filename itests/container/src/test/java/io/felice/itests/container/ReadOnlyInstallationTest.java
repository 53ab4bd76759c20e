package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node whose installation is on a read-only file system, and whose data directory is writable. */
class ReadOnlyInstallationTest {

    @TempDir
    Path directory;

    @Test
    void servesAndStopsWithAReadOnlyInstallation() throws Exception {
        Path home = Archive.TAR_GZ.unpack(directory.resolve("an installation"));
        int port = Ports.free();
        Launcher node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(port, Ports.free())
                .under(Mounts.readOnly(home));
        try {
            Result start = node.run("start");
            assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
            mustBeReadOnly(Mounts.seenBy(node.pid(), home));

            mustServe("127.0.0.1:" + port);

            assertThat(node.run("exec", "felice:status").exitCode()).isZero();
            assertThat(node.run("stop")).isEqualTo(new Result(0, "Felice stopped.\n"));
            assertThat(node.log()).doesNotContain(" ERROR ");
        } finally {
            if (node.run("status").exitCode() != 3) {
                node.run("stop");
            }
        }
    }

    private static void mustBeReadOnly(Path home) {
        for (String place : List.of("new", "etc/new", "data")) {
            assertThatThrownBy(() -> Files.createFile(home.resolve(place)))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageContaining("Read-only file system");
        }
    }

    private static void mustServe(String bootstrap) throws Exception {
        List<String> sent = List.of("one", "two", "three");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            for (String value : sent) {
                producer.send(new ProducerRecord<>("greetings", value)).get();
            }
        }
        List<String> received = new ArrayList<>();
        Map<String, Object> settings =
                Map.of("bootstrap.servers", bootstrap, "group.id", "readers", "auto.offset.reset", "earliest");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("greetings"));
            Eventually.await("reading", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> received.add(record.value()));
                return received.size() >= sent.size();
            });
            consumer.commitSync();
        }
        assertThat(received).isEqualTo(sent);
    }
}
