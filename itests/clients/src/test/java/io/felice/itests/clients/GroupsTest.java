package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Consumer groups of real clients. Members join and leave, and the group receives every record once. */
@Timeout(180)
class GroupsTest {
    private static final int PARTITIONS = 6;

    @TempDir
    static Path directory;

    private static Node node;

    private final ConcurrentLinkedQueue<String> taken = new ConcurrentLinkedQueue<>();
    private final List<String> written = new ArrayList<>();

    @BeforeAll
    static void start() {
        node = Node.in(directory);
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    void javaAndLibrdkafkaMembersShareThePartitionsOfAGroup() throws Exception {
        String topic = topic("mixed");
        Map<String, Object> range = Map.of("partition.assignment.strategy", RangeAssignor.class.getName());
        try (GroupMember first = member("mixed-group", topic, range)) {
            write(topic, 2000);
            awaitShare(first, PARTITIONS);
            Kcat second = Kcat.in("mixed-group", topic, "second");
            awaitShare(first, PARTITIONS / 2);
            write(topic, 2000);
            try (GroupMember third = member("mixed-group", topic, range)) {
                awaitShare(third, PARTITIONS / 3);
                write(topic, 2000);
                awaitShare(first, PARTITIONS / 3);
            }
            awaitShare(first, PARTITIONS / 2);
            write(topic, 2000);
            // kcat loses a record if it is stopped after it received the record and before it printed it. It does so
            // with Kafka too. So the test waits until kcat has printed everything.
            Java.await("all is taken", () -> taken.size() + second.taken().size() >= written.size());
            assertThat(second.taken()).isNotEmpty();
            second.stop();
            awaitShare(first, PARTITIONS);
            write(topic, 2000);
            Java.await(
                    "all is taken",
                    () -> first.failure() != null
                            || taken.size() + second.taken().size() >= written.size());
            assertThat(first.failure()).isNull();
            taken.addAll(second.taken());
        }

        assertThat(new ArrayList<>(taken)).containsExactlyInAnyOrderElementsOf(written);
    }

    @Test
    void aCooperativeGroupKeepsReadingThroughRebalances() {
        String topic = topic("cooperative");
        Map<String, Object> cooperative =
                Map.of("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
        try (GroupMember first = member("cooperative-group", topic, cooperative)) {
            write(topic, 1000);
            awaitShare(first, PARTITIONS);
            try (GroupMember second = member("cooperative-group", topic, cooperative)) {
                awaitShare(second, PARTITIONS / 2);
                write(topic, 1000);
                try (GroupMember third = member("cooperative-group", topic, cooperative)) {
                    awaitShare(third, PARTITIONS / 3);
                    write(topic, 1000);
                    assertThat(third.failure()).isNull();
                }
                awaitShare(second, PARTITIONS / 2);
                write(topic, 1000);
                assertThat(second.lost()).isZero();
            }
            awaitShare(first, PARTITIONS);
            write(topic, 1000);
            Java.await("all is taken", () -> taken.size() >= written.size());
            assertThat(first.lost()).isZero();
            assertThat(first.failure()).isNull();
        }

        assertThat(new ArrayList<>(taken)).containsExactlyInAnyOrderElementsOf(written);
    }

    @Test
    void aStaticMemberRejoinsWithoutARebalance() {
        String topic = topic("static");
        try (GroupMember stays = member("static-group", topic, Map.of("group.instance.id", "stays"))) {
            Set<TopicPartition> share;
            int generation;
            int rebalances;
            try (GroupMember returns = member("static-group", topic, Map.of("group.instance.id", "returns"))) {
                awaitShare(returns, PARTITIONS / 2);
                awaitShare(stays, PARTITIONS / 2);
                share = returns.assignment();
                generation = returns.generation();
                rebalances = stays.rebalances();
                write(topic, 300);
                Java.await("all is taken", () -> taken.size() >= written.size());
            }
            write(topic, 300);
            try (GroupMember returned = member("static-group", topic, Map.of("group.instance.id", "returns"))) {
                awaitShare(returned, PARTITIONS / 2);
                Java.await("all is taken", () -> taken.size() >= written.size());

                assertThat(returned.assignment()).isEqualTo(share);
                assertThat(returned.generation()).isEqualTo(generation);
                assertThat(stays.rebalances()).isEqualTo(rebalances);
            }
        }
        assertThat(new ArrayList<>(taken)).containsExactlyInAnyOrderElementsOf(written);
    }

    @Test
    void theJavaScriptClientsCommitWhatTheyRead() throws Exception {
        for (Client client : List.of(Client.KAFKAJS, Client.PLATFORMATIC)) {
            String topic = "committed-by-" + client.name().toLowerCase(java.util.Locale.ROOT);
            Java.createTopic(node.bootstrap(), topic, 1, Map.of());
            Client.KCAT.produce(node.bootstrap(), topic, "none", Corpus.first(10_000));

            client.consume(node.bootstrap(), 10_000, Map.of(topic, directory.resolve(topic)));

            String group = client.name().toLowerCase(java.util.Locale.ROOT) + "-" + topic;
            assertThat(committed(node.bootstrap(), group)).as(group).isEqualTo(10_000);
        }
    }

    /** All records are committed before the restart, so no record may be delivered twice after it. */
    @Test
    void offsetsAndGroupsSurviveARestartOfTheCoordinator() {
        String topic = topic("reloaded");
        try (GroupMember member = member("reloaded-group", topic, Map.of())) {
            write(topic, 600);
            Java.await("all is committed", () -> committed(node.bootstrap(), "reloaded-group") == written.size());
            if (!Node.isOracle()) {
                node.felice().restart("io.felice.coordinator");
            }
            write(topic, 600);
            Java.await("all is taken", () -> taken.size() >= written.size());
            assertThat(member.failure()).isNull();
        }
        assertThat(new ArrayList<>(taken)).containsExactlyInAnyOrderElementsOf(written);
    }

    @Test
    void groupsTheirStaticMembersAndTheirOffsetsSurviveACleanStopOfTheNode() {
        // Skipped only if these tests run against a broker of Apache Kafka, which ./dev test never does.
        assumeFalse(Node.isOracle(), "another broker is not ours to stop");
        FeliceNode.Builder durable = FeliceNode.in(directory.resolve("stopped")).port(DistributionNode.freePort());
        FeliceNode stopped = durable.start();
        try {
            String bootstrap = stopped.bootstrap();
            Java.createTopic(bootstrap, "kept", PARTITIONS, Map.of());
            write(bootstrap, "kept", 600);
            try (GroupMember red = staticMember(bootstrap, "red");
                    GroupMember blue = staticMember(bootstrap, "blue")) {
                awaitShare(red, PARTITIONS / 2);
                awaitShare(blue, PARTITIONS / 2);
                Java.await("all is committed", () -> committed(bootstrap, "with-members") == written.size());
            }
            try (GroupMember passing =
                    GroupMember.of(bootstrap, "without-members", "kept", Map.of(), new ConcurrentLinkedQueue<>())) {
                Java.await("all is committed", () -> committed(bootstrap, "without-members") == written.size());
                assertThat(passing.failure()).isNull();
            }
            commitByHand(bootstrap, "of-offsets-only", Map.of(new TopicPartition("kept", 4), 17L));
            Remembered before = Remembered.by(bootstrap);

            stopped.close();
            stopped = durable.start();

            assertThat(Remembered.by(bootstrap)).isEqualTo(before);
            assertThat(before.groups()).containsOnlyKeys("with-members", "without-members", "of-offsets-only");
            assertThat(before.membersOf("with-members")).containsOnlyKeys("red", "blue");
            write(bootstrap, "kept", 300);
            try (GroupMember red = staticMember(bootstrap, "red");
                    GroupMember blue = staticMember(bootstrap, "blue")) {
                awaitShare(red, PARTITIONS / 2);
                awaitShare(blue, PARTITIONS / 2);
                Java.await("all is taken", () -> taken.size() >= written.size());
                assertThat(Map.of("red", red.assignment(), "blue", blue.assignment()))
                        .isEqualTo(before.membersOf("with-members"));
            }
        } finally {
            stopped.close();
        }
        assertThat(new ArrayList<>(taken)).containsExactlyInAnyOrderElementsOf(written);
    }

    /** The groups of a broker with their committed offsets, by group id. */
    private record Remembered(
            Map<String, ConsumerGroupDescription> groups, Map<String, Map<TopicPartition, OffsetAndMetadata>> offsets) {
        static Remembered by(String bootstrap) {
            try (Admin admin = Java.admin(bootstrap)) {
                Set<String> names = Java.get(admin.listGroups().all()).stream()
                        .map(GroupListing::groupId)
                        .collect(Collectors.toSet());
                Map<String, Map<TopicPartition, OffsetAndMetadata>> offsets = new HashMap<>();
                names.forEach(name -> offsets.put(name, committedOffsets(bootstrap, name)));
                return new Remembered(
                        Java.get(admin.describeConsumerGroups(names).all()), offsets);
            }
        }

        /** The partitions assigned to each member of a group, by group instance id. */
        Map<String, Set<TopicPartition>> membersOf(String group) {
            return groups.get(group).members().stream()
                    .collect(Collectors.toMap(
                            member -> member.groupInstanceId().orElseThrow(),
                            member -> member.assignment().topicPartitions()));
        }
    }

    // ---- actors

    private record Kcat(Process process, Path output) {
        static Kcat in(String group, String topic, String name) throws IOException {
            Path output = directory.resolve(name + ".kcat");
            ProcessBuilder builder = new ProcessBuilder(
                    "kcat",
                    "-b",
                    node.bootstrap(),
                    "-X",
                    "partition.assignment.strategy=range",
                    "-X",
                    "auto.offset.reset=earliest",
                    "-X",
                    "heartbeat.interval.ms=300",
                    "-u",
                    "-q",
                    "-G",
                    group,
                    topic);
            return new Kcat(
                    builder.redirectOutput(output.toFile())
                            .redirectError(directory.resolve(name + ".said").toFile())
                            .start(),
                    output);
        }

        List<String> taken() {
            try {
                return Files.readAllLines(output);
            } catch (IOException failure) {
                throw new AssertionError(failure);
            }
        }

        void stop() throws InterruptedException {
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private GroupMember member(String group, String topic, Map<String, Object> settings) {
        return GroupMember.of(node.bootstrap(), group, topic, settings, taken);
    }

    private GroupMember staticMember(String bootstrap, String name) {
        return GroupMember.of(bootstrap, "with-members", "kept", Map.of("group.instance.id", name), taken);
    }

    private static String topic(String name) {
        Java.createTopic(node.bootstrap(), name, PARTITIONS, Map.of());
        return name;
    }

    private void write(String topic, int count) {
        write(node.bootstrap(), topic, count);
    }

    private void write(String bootstrap, String topic, int count) {
        try (KafkaProducer<String, String> producer = Java.textProducer(bootstrap, Map.of())) {
            for (int i = 0; i < count; i++) {
                String value = topic + " " + written.size();
                producer.send(new ProducerRecord<>(topic, i % PARTITIONS, null, value));
                written.add(value);
            }
        }
    }

    private static void awaitShare(GroupMember member, int partitions) {
        Java.await(
                "a share of " + partitions,
                () -> member.failure() != null || member.assignment().size() == partitions);
        assertThat(member.failure()).isNull();
    }

    private static Map<TopicPartition, OffsetAndMetadata> committedOffsets(String bootstrap, String group) {
        try (Admin admin = Java.admin(bootstrap)) {
            return Java.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
        }
    }

    private static long committed(String bootstrap, String group) {
        return committedOffsets(bootstrap, group).values().stream()
                .mapToLong(OffsetAndMetadata::offset)
                .sum();
    }

    private static void commitByHand(String bootstrap, String group, Map<TopicPartition, Long> offsets) {
        Map<TopicPartition, OffsetAndMetadata> all = new HashMap<>();
        offsets.forEach((partition, offset) -> all.put(partition, new OffsetAndMetadata(offset, "by hand")));
        try (Admin admin = Java.admin(bootstrap)) {
            Java.get(admin.alterConsumerGroupOffsets(group, all).all());
        }
    }
}
