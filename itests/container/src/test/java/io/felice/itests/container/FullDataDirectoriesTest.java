package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The directories of a node on disks that another program fills to the last byte. The node goes on, and starts again; or
 * it refuses to start and says how much room it needs.
 */
class FullDataDirectoriesTest {
    private static final TopicPartition ORDERS = new TopicPartition("orders", 0);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int NOT_RUNNING = 3;
    private static final int SERVES_IN_PART = 6;

    static Path home;

    @TempDir
    Path directory;

    private Path data;
    private Launcher node;
    private String bootstrap;
    private Mounts.Held disks;
    private int sent;

    @BeforeAll
    static void unpack() throws Exception {
        home = Archive.installation();
    }

    @BeforeEach
    void listen() throws Exception {
        int port = Ports.free();
        bootstrap = "127.0.0.1:" + port;
        data = Files.createDirectory(directory.resolve("data"));
        node = Launcher.of(home, data).listeningOn(port, Ports.free());
    }

    @AfterEach
    void stop() throws Exception {
        if (node.run("status").exitCode() != NOT_RUNNING) {
            node.run("stop");
        }
        disks.close();
    }

    @Test
    void aNodeWhoseDiskIsFullGoesOnAndStartsAgain() throws Exception {
        mount(Map.of(data, 240));
        mustStart();
        createOrders();
        send(100);

        fill(data);

        assertThat(read()).hasSize(sent).isEqualTo(numbers());
        Eventually.await("saying so", () -> node.run("status").exitCode() == SERVES_IN_PART);
        assertThat(node.run("stop")).isEqualTo(new Result(0, "Felice stopped.\n"));

        assertThat(mustStart()).contains("The start uses " + data.resolve("felice.reserve"));
        assertThat(read()).isEqualTo(numbers());
        assertThat(disks.seen(data).resolve("felice.reserve")).exists();
        node.run("stop");

        Files.delete(disks.seen(data).resolve("felice.reserve"));
        fill(data);
        assertThat(node.run("start"))
                .isEqualTo(new Result(
                        1, "The disk is full: 0 MB are free for " + data + ", and a node needs 8 MB to start.\n"));

        Files.delete(disks.seen(data).resolve("ballast"));
        mustStart();
        send(100);
        assertThat(read()).isEqualTo(numbers());
    }

    @Test
    void aDirectoryOnADiskOfItsOwnMayBeFull() throws Exception {
        Path broker = Files.createDirectory(directory.resolve("broker"));
        Path zookeeper = Files.createDirectory(directory.resolve("zookeeper"));
        Path log = Files.createDirectory(data.resolve("log"));
        Etc etc = Etc.of(home, directory.resolve("etc"));
        etc.set("io.felice.broker.cfg", "data.dir", broker.toString());
        etc.set("io.felice.zookeeper.cfg", "data.dir", zookeeper.toString());
        node = node.with("FELICE_ETC", etc.toString());
        mount(Map.of(broker, 8, zookeeper, 8, log, 1));
        mustStart();
        createOrders();
        send(100);

        fill(broker, zookeeper, log);

        send(100);
        assertThat(read()).isEqualTo(numbers());
        ProcessHandle.of(node.pid()).orElseThrow().destroyForcibly();
        Eventually.await("the end", () -> node.run("status").exitCode() == NOT_RUNNING);

        mustStart();
        send(100);
        assertThat(read()).isEqualTo(numbers());

        fill(broker, zookeeper, log);
        assertThat(node.run("stop")).isEqualTo(new Result(0, "Felice stopped.\n"));
        assertThat(node.run("start").output())
                .endsWith("Felice cannot start: The disk is full: 0 bytes are free for " + zookeeper
                        + ", and ZooKeeper needs 65536 bytes there to start\n");

        Files.delete(disks.seen(zookeeper).resolve("ballast"));
        mustStart();
        assertThat(read()).isEqualTo(numbers());
        Files.delete(disks.seen(broker).resolve("ballast"));
        send(100);
        assertThat(read()).isEqualTo(numbers());
    }

    private void mount(Map<Path, Integer> megabytes) throws IOException {
        disks = Mounts.held(megabytes);
        node = node.under(disks.command());
    }

    private String mustStart() throws Exception {
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + logged()).isZero();
        return start.output();
    }

    private String logged() throws IOException {
        Path log = disks.seen(data).resolve("log/felice.log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    /** Leaves not a byte. */
    private void fill(Path... directories) throws IOException {
        for (Path each : directories) {
            Path disk = disks.seen(each);
            byte[] block = new byte[4096];
            try (OutputStream out = Files.newOutputStream(
                    disk.resolve("ballast"), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                while (true) {
                    out.write(block);
                }
            } catch (IOException full) {
                assertThat(full).hasMessageContaining("No space left on device");
            }
            assertThat(disk.toFile().getUsableSpace()).isZero();
        }
    }

    private void createOrders() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(ORDERS.topic(), 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    /** Sends the next numbers, each for as long as it takes. */
    private void send(int count) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            for (int left = count; left > 0; left--) {
                producer.send(new ProducerRecord<>(ORDERS.topic(), Integer.toString(sent)))
                        .get();
                sent++;
            }
        }
    }

    private List<String> numbers() {
        return IntStream.range(0, sent).mapToObj(Integer::toString).toList();
    }

    private List<String> read() throws Exception {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(ORDERS));
            consumer.seekToBeginning(List.of(ORDERS));
            long end = consumer.endOffsets(List.of(ORDERS)).get(ORDERS);
            Eventually.await("reading", () -> {
                consumer.poll(POLL).forEach(record -> values.add(record.value()));
                return consumer.position(ORDERS) >= end;
            });
        }
        return values;
    }
}
