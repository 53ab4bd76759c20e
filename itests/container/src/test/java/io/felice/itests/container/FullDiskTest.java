package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The directory of the log engine is on a file system of 24 MB, which becomes full while clients write. The engine's
 * partitions refuse records until there is free space again. Topics of another engine are not affected.
 */
class FullDiskTest {
    private static final int MEGABYTES = 24;
    private static final String PADDING = "x".repeat(10_000);
    private static final String NEIGHBOUR = "memory";

    @TempDir
    static Path directory;

    private static Launcher node;
    private static Insides insides;
    private static String bootstrap;
    private static Path disk;
    private static long pid;

    @BeforeAll
    static void start() throws Exception {
        Path home = Archive.installation();
        Path topics = Files.createDirectory(directory.resolve("small disk"));
        Etc etc = Etc.of(home, directory.resolve("etc"));
        etc.set("io.felice.storage.log.cfg", "directory", topics.toString());
        etc.add("io.felice.broker.cfg", "storage.placement = " + NEIGHBOUR + "*:memory,*:log");
        int port = Ports.free();
        bootstrap = "127.0.0.1:" + port;
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(port, Ports.free())
                .with("FELICE_ETC", etc.toString())
                .under(Mounts.small(topics, MEGABYTES));
        insides = new Insides(node);
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        pid = node.pid();
        disk = Mounts.seenBy(pid, topics);
        assertThat(disk.toFile().getTotalSpace()).isEqualTo((long) MEGABYTES << 20);
        create(NEIGHBOUR);
    }

    @AfterAll
    static void stop() throws Exception {
        Result stop = node.run("stop");
        assertThat(stop).as(node.log()).isEqualTo(new Result(0, "Felice stopped.\n"));
    }

    @Test
    void recordsAreAcceptedAgainOnceOldRecordsAreDeleted() throws Exception {
        TopicPartition orders = create("orders");
        try (KafkaProducer<String, String> producer = producer(Map.of("linger.ms", 0))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            sendUntilNothingIsAnswered(producer, orders, sent);
            long acknowledged = mustBeFull(orders, sent);

            long kept = acknowledged / 2;
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
                admin.deleteRecords(Map.of(orders, RecordsToDelete.beforeOffset(kept)))
                        .all()
                        .get();
            }

            mustAcceptRecordsAgain(orders, sent, kept);
        }
    }

    @Test
    void recordsAreAcceptedAgainOnceAnotherProgramsFileIsDeleted() throws Exception {
        TopicPartition clicks = create("clicks");
        try (KafkaProducer<String, String> producer = producer(Map.of("linger.ms", 0))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            sent.add(producer.send(record(clicks, 0)));
            sent.get(0).get();
            Path ballast = fillTheRest();
            sendUntilNothingIsAnswered(producer, clicks, sent);
            mustBeFull(clicks, sent);

            Files.delete(ballast);

            mustAcceptRecordsAgain(clicks, sent, 0);
        }
    }

    /** Checks the behaviour of the node while the disk is full, and returns the number of acknowledged records. */
    private static long mustBeFull(TopicPartition partition, List<Future<RecordMetadata>> sent) throws Exception {
        long acknowledged = sent.stream().filter(Future::isDone).count();
        assertThat(acknowledged).isPositive();
        assertThat(disk.toFile().getUsableSpace()).isLessThan((long) MEGABYTES << 20 >> 4);
        assertThat(stateOf("log")).containsEntry("full", "true").doesNotContainEntry("refused", "0");
        assertThat(stateOf("memory")).containsEntry("full", "false").containsEntry("refused", "0");
        mustBeRefused(partition);
        assertThat(numbersFrom(partition, 0, acknowledged)).isEqualTo(numbers(0, acknowledged));
        mustAcceptRecords(new TopicPartition(NEIGHBOUR, 0));
        Result status = node.run("status");
        assertThat(status.exitCode())
                .as("exit code for a node that serves in part")
                .isEqualTo(6);
        assertThat(status.output()).contains("The storage engine log is full");
        return acknowledged;
    }

    private static void mustBeRefused(TopicPartition partition) {
        try (KafkaProducer<String, String> once = producer(SingleAttempts.settings(bootstrap))) {
            assertThatThrownBy(() -> once.send(record(partition, -1)).get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(KafkaStorageException.class);
        }
    }

    private static void mustAcceptRecords(TopicPartition neighbour) throws Exception {
        try (KafkaProducer<String, String> producer = producer(SingleAttempts.settings(bootstrap))) {
            long begin = producer.send(record(neighbour, 0)).get().offset();
            for (int number = 1; number < 100; number++) {
                producer.send(record(neighbour, number)).get();
            }
            assertThat(numbersFrom(neighbour, begin, begin + 100)).isEqualTo(numbers(0, 100));
        }
    }

    private static void mustAcceptRecordsAgain(TopicPartition partition, List<Future<RecordMetadata>> sent, long from)
            throws Exception {
        for (int number = 0; number < sent.size(); number++) {
            assertThat(sent.get(number).get(2, TimeUnit.MINUTES).offset()).isEqualTo(number);
        }
        assertThat(numbersFrom(partition, from, sent.size())).isEqualTo(numbers(from, sent.size()));
        assertThat(stateOf("log")).containsEntry("full", "false");
        assertThat(insides.table("broker.offline")).isEmpty();
        assertThat(node.pid()).isEqualTo(pid);
        assertThat(ProcessHandle.of(pid)).isPresent();
    }

    /** Sends records until one is not acknowledged and the engine is full, then five more. */
    private static void sendUntilNothingIsAnswered(
            KafkaProducer<String, String> producer, TopicPartition partition, List<Future<RecordMetadata>> sent)
            throws Exception {
        while (true) {
            sent.add(producer.send(record(partition, sent.size())));
            while (!isAnswered(sent.get(sent.size() - 1))) {
                if (stateOf("log").get("full").equals("true")) {
                    for (int more = 0; more < 5; more++) {
                        sent.add(producer.send(record(partition, sent.size())));
                    }
                    return;
                }
            }
        }
    }

    private static boolean isAnswered(Future<RecordMetadata> sent) throws Exception {
        try {
            sent.get(3, TimeUnit.SECONDS);
            return true;
        } catch (TimeoutException notYet) {
            return false;
        }
    }

    /** Writes a file that takes all free space of the disk. */
    private static Path fillTheRest() throws IOException {
        Path ballast = disk.resolve("ballast");
        byte[] piece = new byte[4096];
        try (OutputStream out = Files.newOutputStream(ballast)) {
            for (long written = 0; written <= MEGABYTES << 20; written += piece.length) {
                out.write(piece);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left on device");
            return ballast;
        }
        throw new AssertionError("more than " + MEGABYTES + " MB were written");
    }

    private static Map<String, String> stateOf(String engine) throws Exception {
        return insides.table("broker.storage").stream()
                .filter(row -> row.get("engine").equals(engine))
                .findFirst()
                .orElseThrow();
    }

    private static TopicPartition create(String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            NewTopic small = new NewTopic(topic, 1, (short) 1).configs(Map.of("segment.bytes", "1048576"));
            admin.createTopics(List.of(small)).all().get();
        }
        return new TopicPartition(topic, 0);
    }

    private static KafkaProducer<String, String> producer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", bootstrap);
        return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    }

    private static ProducerRecord<String, String> record(TopicPartition partition, long number) {
        return new ProducerRecord<>(partition.topic(), partition.partition(), Long.toString(number), PADDING);
    }

    private static List<Long> numbers(long from, long to) {
        return LongStream.range(from, to).boxed().toList();
    }

    /** The numbers of the records from offset {@code from} to before offset {@code to}. */
    private static List<Long> numbersFrom(TopicPartition partition, long from, long to) throws Exception {
        List<Long> numbers = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "none"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            Eventually.await("reading", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> {
                    assertThat(record.value()).isEqualTo(PADDING);
                    numbers.add(Long.parseLong(record.key()));
                });
                return consumer.position(partition) >= to;
            });
            assertThat(consumer.endOffsets(List.of(partition))).containsEntry(partition, to);
        }
        return numbers;
    }
}
