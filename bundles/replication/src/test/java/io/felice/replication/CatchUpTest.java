package io.felice.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.cluster.PartitionState;
import io.felice.api.status.StatusTable;
import io.felice.testkit.FeliceCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Three real brokers, whose topics have three replicas. */
class CatchUpTest {
    private static FeliceCluster cluster;

    @BeforeAll
    static void start() {
        cluster = FeliceCluster.of(3)
                .config("io.felice.broker", "replica.lag.time.max.ms", 2000)
                .start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void create(String topic, int partitions) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()))) {
            admin.createTopics(List.of(
                            new NewTopic(topic, partitions, (short) 3).configs(Map.of("min.insync.replicas", "2"))))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private static void write(String topic, int partitions, int records) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", cluster.bootstrap(), "acks", "all", "linger.ms", 1);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < records; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, i % partitions, null, ("record " + i).getBytes())));
            }
            for (Future<?> one : sent) {
                one.get(30, TimeUnit.SECONDS);
            }
        }
    }

    /** The bytes of the log of a partition on one broker. */
    private static byte[] log(int broker, String topic, int partition) {
        try (Stream<Path> files = Files.walk(cluster.data(broker))) {
            Path log = files.filter(
                            file -> file.getParent().getFileName().toString().startsWith(topic + "-" + partition)
                                    && file.toString().endsWith(".log"))
                    .findFirst()
                    .orElseThrow();
            return Files.readAllBytes(log);
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static Set<Integer> inSync(String topic, int partition) {
        return Set.copyOf(cluster.view()
                .topic(topic)
                .flatMap(found -> found.partition(partition))
                .map(PartitionState::isr)
                .orElse(List.of()));
    }

    @Test
    void whatAllReplicasHaveAcknowledgedIsTheSameOnAllOfThem() throws Exception {
        create("orders", 3);

        write("orders", 3, 3000);

        for (int partition = 0; partition < 3; partition++) {
            int number = partition;
            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                byte[] first = trimmed(log(1, "orders", number));
                assertThat(first.length).isGreaterThan(1000);
                assertThat(trimmed(log(2, "orders", number))).isEqualTo(first);
                assertThat(trimmed(log(3, "orders", number))).isEqualTo(first);
            });
        }
    }

    /** Without the zeros of room that was allocated ahead. */
    private static byte[] trimmed(byte[] log) {
        int end = log.length;
        while (end > 0 && log[end - 1] == 0) {
            end--;
        }
        return java.util.Arrays.copyOf(log, end);
    }

    @Test
    void aFollowerWhoseBundleWasAwayCatchesUpAndTheOthersGoOn() throws Exception {
        create("payments", 1);
        write("payments", 1, 100);
        int follower = Set.of(1, 2, 3).stream()
                .filter(id -> id != cluster.leader("payments", 0))
                .findFirst()
                .orElseThrow();

        cluster.node(follower).stop("io.felice.replication");
        assertThat(threads()).isEqualTo(threadsWithout(follower));
        write("payments", 1, 100);
        cluster.node(follower).start("io.felice.replication");

        await().atMost(Duration.ofSeconds(40)).until(() -> inSync("payments", 0).size() == 3);
        await().atMost(Duration.ofSeconds(60))
                .until(() -> java.util.Arrays.equals(
                        trimmed(log(follower, "payments", 0)),
                        trimmed(log(cluster.leader("payments", 0), "payments", 0))));
    }

    @Test
    void theTablesShowTheConnectionsAndThatNothingLags() throws Exception {
        create("shipments", 1);
        write("shipments", 1, 10);
        int leader = cluster.leader("shipments", 0);
        int follower = leader == 1 ? 2 : 1;

        StatusTable peers = cluster.node(follower).status("replication.peers");
        StatusTable fetchers = cluster.node(follower).status("replication.fetchers");

        assertThat(peers.rows()).anySatisfy(row -> assertThat(row)
                .startsWith(Integer.toString(leader), "fetch-0")
                .contains("connected"));
        await().untilAsserted(() -> assertThat(cluster.node(follower)
                        .status("replication.fetchers")
                        .cell(Integer.toString(leader), "lag.records"))
                .contains(0L));
        assertThat(fetchers.rows()).isNotEmpty();
        assertThat(cluster.node(follower).status("replication.limits").rows()).hasSize(2);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("felice-replication-forward"))
                .count();
    }

    private static long threadsWithout(int broker) {
        return cluster.running().stream().filter(id -> id != broker).count();
    }
}
