package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.PartitionState;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import io.felice.testkit.FeliceCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics with several replicas, while brokers are stopped, killed and cut off. */
@Timeout(60)
class ReplicatedTopicTest {
    private static FeliceCluster cluster;

    @BeforeAll
    static void start() {
        cluster = FeliceCluster.of(3).start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void bringEverybodyBack() {
        for (int id = 1; id <= 3; id++) {
            if (!cluster.running().contains(id)) {
                cluster.start(id);
            }
        }
        cluster.awaitInSync();
    }

    @Test
    void acknowledgedRecordsSurviveTheLossOfTheLeader() {
        Clients.createTopic(cluster.bootstrap(), "kept", 1, 3, Map.of("min.insync.replicas", "2"));
        Clients.write(cluster.bootstrap(), "kept", Java.numbered("first", 500));

        cluster.kill(cluster.leader("kept", 0));
        Clients.write(cluster.bootstrap(), "kept", Java.numbered("second", 500));

        assertThat(Java.values(cluster.bootstrap(), "kept", 0)).isEqualTo(firstAndSecond());
    }

    @Test
    void aBrokerThatComesBackHasAllRecordsBeforeItLeadsAgain() {
        Clients.createTopic(cluster.bootstrap(), "back", 1, 3, Map.of());
        Clients.write(cluster.bootstrap(), "back", Java.numbered("first", 500));
        int killed = cluster.leader("back", 0);
        cluster.kill(killed);
        Clients.write(cluster.bootstrap(), "back", Java.numbered("second", 500));
        cluster.start(killed);
        cluster.awaitInSync();

        others(killed).forEach(cluster::kill);

        assertThat(cluster.leader("back", 0)).isEqualTo(killed);
        assertThat(Java.values(cluster.bootstrap(), "back", 0)).isEqualTo(firstAndSecond());
    }

    @Test
    void aProducerGoesOnWithoutALossOrARepetitionWhileLeadersAreKilled() {
        Clients.createTopic(cluster.bootstrap(), "steady", 1, 3, Map.of("min.insync.replicas", "2"));
        List<String> values = Java.numbered("record", 900);

        try (KafkaProducer<String, String> producer =
                Java.textProducer(cluster.bootstrap(), Clients.with(Map.of("acks", "all", "linger.ms", 1)))) {
            for (int i = 0; i < values.size(); i++) {
                producer.send(new ProducerRecord<>("steady", values.get(i)));
                if (i == 300 || i == 600) {
                    int leader = cluster.leader("steady", 0);
                    cluster.kill(leader);
                    producer.flush();
                    cluster.start(leader);
                    cluster.awaitInSync();
                }
            }
        }

        assertThat(Java.values(cluster.bootstrap(), "steady", 0)).isEqualTo(values);
    }

    @Test
    void acksAllIsRefusedWhenTooFewReplicasAreInSync() {
        Clients.createTopic(cluster.bootstrap(), "strict", 1, 3, Map.of("min.insync.replicas", "2"));
        Clients.write(cluster.bootstrap(), "strict", List.of("with three"));
        int leader = cluster.leader("strict", 0);
        others(leader).forEach(cluster::stop);
        Java.await("only the leader is in sync", () -> state("strict").isr().size() == 1);

        try (KafkaProducer<String, String> producer = Java.textProducer(
                cluster.bootstrap(leader),
                Clients.with(Map.of("acks", "all", "retries", 0, "enable.idempotence", false)))) {
            assertThat(failureOf(() -> Java.get(producer.send(new ProducerRecord<>("strict", "alone")))))
                    .hasRootCauseInstanceOf(NotEnoughReplicasException.class);
        }
        cluster.start(others(leader).get(0));
        Clients.write(cluster.bootstrap(), "strict", List.of("with two"));

        assertThat(Java.values(cluster.bootstrap(), "strict", 0)).containsExactly("with three", "with two");
    }

    @Test
    void aTopicThatIsMadeAgainWhileABrokerIsAwayHasNoneOfTheOldRecords() {
        Clients.createTopic(cluster.bootstrap(), "again", 1, 3, Map.of());
        Clients.write(cluster.bootstrap(), "again", Java.numbered("old", 100));
        cluster.kill(2);
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Java.get(admin.deleteTopics(List.of("again")).all());
        }
        Clients.createTopic(cluster.bootstrap(), "again", 1, 2, Map.of());
        Clients.write(cluster.bootstrap(), "again", Java.numbered("new", 10));

        cluster.start(2);
        cluster.awaitInSync();
        reassign("again", List.of(2));

        assertThat(Java.values(cluster.bootstrap(), "again", 0)).isEqualTo(Java.numbered("new", 10));
    }

    @Test
    void reassignedPartitionsTakeTheirRecordsAlong() {
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Java.get(admin.createTopics(List.of(new NewTopic("moved", Map.of(0, List.of(1)))))
                    .all());
        }
        Clients.write(cluster.bootstrap(), "moved", Java.numbered("record", 500));

        reassign("moved", List.of(2, 3));

        assertThat(state("moved").replicas()).containsExactly(2, 3);
        assertThat(cluster.leader("moved", 0)).isIn(2, 3);
        assertThat(Java.values(cluster.bootstrap(), "moved", 0)).isEqualTo(Java.numbered("record", 500));
        Java.await("broker 1 has deleted its log", () -> !brokersWithLogsOf("moved")
                .contains(1));
    }

    /** Kafka's tool sets the throttles of leaders and followers; the leader counts what it gives under its own. */
    @Test
    void aThrottledReassignmentKeepsToTheRateUntilItIsVerified(@TempDir Path directory) throws Exception {
        int rate = 1_000_000;
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Java.get(admin.createTopics(List.of(new NewTopic("slow", Map.of(0, List.of(1)))))
                    .all());
        }
        Clients.write(cluster.bootstrap(), "slow", Java.numbered("x".repeat(10_000), 300));
        long before = throttledBytes(1);
        Path plan = Files.writeString(
                directory.resolve("reassign.json"),
                "{\"version\":1,\"partitions\":[{\"topic\":\"slow\",\"partition\":0,\"replicas\":[2,3]}]}");
        String[] verify = {
            "--bootstrap-server", cluster.bootstrap(), "--verify", "--reassignment-json-file", plan.toString()
        };

        KafkaTools.REASSIGN_PARTITIONS.run(
                "--bootstrap-server",
                cluster.bootstrap(),
                "--execute",
                "--reassignment-json-file",
                plan.toString(),
                "--throttle",
                Integer.toString(rate));
        List<Double> rates = ratesUntil(() -> state("slow").replicas().equals(List.of(2, 3)), before);
        Java.await(
                "the throttles are cleared",
                () -> KafkaTools.REASSIGN_PARTITIONS.run(verify).contains("Clearing topic-level throttles"));

        Collections.sort(rates);
        System.out.println("Bytes per second while throttled to " + rate + ": " + rates);
        assertThat(throttledBytes(1) - before).isGreaterThanOrEqualTo(2 * 3_000_000);
        assertThat(rates.get(rates.size() / 2)).isLessThan(1.3 * rate);
        assertThat(Java.values(cluster.bootstrap(), "slow", 0)).hasSize(300);
    }

    private static long throttledBytes(int id) {
        return (Long) cluster.node(id)
                .status("broker.replication")
                .value("throttled.bytes")
                .orElseThrow();
    }

    /** What node 1 gives to throttled followers, in bytes per second, about every second. */
    private static List<Double> ratesUntil(BooleanSupplier isOver, long before) throws InterruptedException {
        List<Double> rates = new ArrayList<>();
        long bytes = before;
        long nanos = System.nanoTime();
        while (!isOver.getAsBoolean()) {
            Thread.sleep(1_000);
            long now = throttledBytes(1);
            long nanosNow = System.nanoTime();
            rates.add((now - bytes) * 1e9 / (nanosNow - nanos));
            bytes = now;
            nanos = nanosNow;
        }
        return rates;
    }

    @Test
    void thePreferredLeaderIsElectedWhenAskedFor() {
        Clients.createTopic(cluster.bootstrap(), "preferred", 1, 3, Map.of());
        int preferred = state("preferred").replicas().get(0);
        cluster.restart(preferred);
        cluster.awaitInSync();
        TopicPartition partition = new TopicPartition("preferred", 0);

        if (state("preferred").leader() != preferred) {
            try (Admin admin = Clients.admin(cluster.bootstrap())) {
                Java.get(admin.electLeaders(ElectionType.PREFERRED, Set.of(partition))
                        .all());
            }
        }

        assertThat(cluster.leader("preferred", 0)).isEqualTo(preferred);
    }

    @Test
    void aCleanStopHandsOverBeforeItEndsItsConnections() {
        Clients.createTopic(cluster.bootstrap(), "handed", 1, 3, Map.of());
        Clients.write(cluster.bootstrap(), "handed", List.of("before"));
        int leader = cluster.leader("handed", 0);

        try (KafkaProducer<String, String> producer =
                Java.textProducer(cluster.bootstrap(), Clients.with(Map.of("acks", "all")))) {
            Java.get(producer.send(new ProducerRecord<>("handed", "connected")));
            cluster.stop(leader);
            Java.get(producer.send(new ProducerRecord<>("handed", "after")));
        }

        assertThat(cluster.leader("handed", 0)).isNotEqualTo(leader);
        assertThat(Java.values(cluster.bootstrap(), "handed", 0)).containsExactly("before", "connected", "after");
    }

    @Test
    void aLeaderThatIsCutOffAcknowledgesNothingThatTheNextLeaderDoesNotHave() {
        Clients.createTopic(cluster.bootstrap(), "cut", 1, 3, Map.of("min.insync.replicas", "2"));
        Clients.write(cluster.bootstrap(), "cut", List.of("before"));
        int old = cluster.leader("cut", 0);
        TreeMap<String, Boolean> acknowledged = new TreeMap<>();

        try (KafkaProducer<String, String> zombie = Java.textProducer(
                cluster.bootstrap(old),
                Clients.with(Map.of("acks", "all", "request.timeout.ms", 1000, "delivery.timeout.ms", 2000)))) {
            Java.get(zombie.send(new ProducerRecord<>("cut", "connected")));
            cluster.cutOff(old);
            Java.await("another broker leads", () -> cluster.leader("cut", 0) != old);
            for (String value : Java.numbered("late", 5)) {
                zombie.send(new ProducerRecord<>("cut", value), (sent, failure) -> {
                    synchronized (acknowledged) {
                        acknowledged.put(value, failure == null);
                    }
                });
            }
        }
        cluster.rejoin(old);
        cluster.awaitInSync();

        List<String> kept = Java.values(cluster.bootstrap(), "cut", 0);
        assertThat(kept).startsWith("before", "connected");
        acknowledged.forEach((value, was) -> {
            if (was) {
                assertThat(kept).contains(value);
            }
        });
    }

    @Test
    void theControllerIsReplacedAndItsSuccessorDecides() {
        int controller = cluster.controller();

        cluster.kill(controller);

        Java.await("another broker is the controller", () -> cluster.controller() != controller);
        Clients.createTopic(cluster.bootstrap(), "afterwards", 3, 2, Map.of());
        Clients.write(cluster.bootstrap(), "afterwards", List.of("record"));
    }

    private static List<String> firstAndSecond() {
        return java.util.stream.Stream.of("first", "second")
                .flatMap(part -> Java.numbered(part, 500).stream())
                .toList();
    }

    private static List<Integer> others(int id) {
        return List.of(1, 2, 3).stream().filter(other -> other != id).toList();
    }

    private static PartitionState state(String topic) {
        return cluster.view().topic(topic).orElseThrow().partition(0).orElseThrow();
    }

    private static void reassign(String topic, List<Integer> replicas) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Java.get(admin.alterPartitionReassignments(
                            Map.of(partition, Optional.of(new NewPartitionReassignment(replicas))))
                    .all());
            Java.await("the reassignment has ended", () -> Java.get(
                            admin.listPartitionReassignments().reassignments())
                    .isEmpty());
        }
        Java.await("the replicas are " + replicas, () -> state(topic).replicas().equals(replicas));
    }

    private static Set<Integer> brokersWithLogsOf(String topic) {
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            Set<Integer> found = new java.util.TreeSet<>();
            Java.get(admin.describeLogDirs(List.of(1, 2, 3)).allDescriptions())
                    .forEach((broker, directories) -> directories.values().forEach(directory -> directory
                            .replicaInfos()
                            .keySet()
                            .forEach(partition -> {
                                if (partition.topic().equals(topic)) {
                                    found.add(broker);
                                }
                            })));
            return found;
        }
    }

    private static Throwable failureOf(Runnable step) {
        try {
            step.run();
        } catch (AssertionError failure) {
            return failure;
        }
        throw new AssertionError("it succeeded");
    }
}
