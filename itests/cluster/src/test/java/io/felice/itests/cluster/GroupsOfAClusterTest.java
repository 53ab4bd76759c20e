package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceCluster;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Groups, while the brokers that coordinate them are lost. */
@Timeout(60)
class GroupsOfAClusterTest {
    private final FeliceCluster cluster = FeliceCluster.of(3)
            .config("io.felice.broker", "offsets.topic.num.partitions", 4)
            .start();

    @BeforeEach
    void createTopic() {
        Clients.createTopic(cluster.bootstrap(), "orders", 2, 3, Map.of());
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void committedOffsetsSurviveTheLossOfEveryCoordinatorInTurn() {
        TopicPartition partition = new TopicPartition("orders", 0);
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(
                cluster.bootstrap(), Clients.with(Map.of("group.id", "readers", "enable.auto.commit", false)))) {
            consumer.assign(List.of(partition));
            for (int commit = 1; commit <= 3; commit++) {
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(commit)));
                int coordinator = coordinatorOf("readers");
                cluster.kill(coordinator);

                assertThat(consumer.committed(Set.of(partition)))
                        .containsEntry(partition, new OffsetAndMetadata(commit));

                cluster.start(coordinator);
                cluster.awaitInSync();
            }
        }
        assertThat(cluster.view()
                        .topic("__consumer_offsets")
                        .orElseThrow()
                        .partitions()
                        .values())
                .allSatisfy(state -> assertThat(state.replicas()).hasSize(3));
    }

    @Test
    void aGroupGoesOnWhereItWasWhenItsCoordinatorIsLost() {
        Clients.write(cluster.bootstrap(), "orders", Java.numbered("first", 100));
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(
                cluster.bootstrap(),
                Clients.with(
                        Map.of("group.id", "readers", "auto.offset.reset", "earliest", "enable.auto.commit", false)))) {
            consumer.subscribe(List.of("orders"));
            assertThat(Clients.poll(consumer, 100)).hasSize(100);
            consumer.commitSync();
            String member = consumer.groupMetadata().memberId();

            cluster.kill(coordinatorOf("readers"));
            Clients.write(cluster.bootstrap(), "orders", Java.numbered("second", 100));

            assertThat(Clients.poll(consumer, 100)).containsExactlyInAnyOrderElementsOf(Java.numbered("second", 100));
            consumer.commitSync();
            assertThat(consumer.groupMetadata().memberId()).isEqualTo(member);
        }
    }

    @Test
    void theGroupsOfAllCoordinatorsAreListedAndDescribed() {
        Set<String> groups = IntStream.range(0, 12).mapToObj(i -> "group-" + i).collect(Collectors.toSet());
        TopicPartition partition = new TopicPartition("orders", 0);
        try (Admin admin = Clients.admin(cluster.bootstrap())) {
            for (String group : groups) {
                Java.get(admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(7)))
                        .all());
            }

            Set<String> listed = Java.get(admin.listGroups().all()).stream()
                    .map(GroupListing::groupId)
                    .collect(Collectors.toSet());

            assertThat(listed).containsAll(groups);
            assertThat(Java.get(admin.describeConsumerGroups(groups).all())).containsOnlyKeys(groups);
            assertThat(groups.stream().map(this::coordinatorOf).distinct()).hasSizeGreaterThan(1);
            Java.get(admin.deleteConsumerGroups(groups).all());
            assertThat(Java.get(admin.listGroups().all())).isEmpty();
        }
    }

    @Test
    void membersShareThePartitionsAlsoAfterTheirCoordinatorStopped() {
        Map<String, Object> settings = Clients.with(
                Map.of("group.id", "sharers", "auto.offset.reset", "earliest", "session.timeout.ms", 10_000));
        try (KafkaConsumer<String, String> one = Java.textConsumer(cluster.bootstrap(), settings);
                KafkaConsumer<String, String> two = Java.textConsumer(cluster.bootstrap(), settings)) {
            one.subscribe(List.of("orders"));
            two.subscribe(List.of("orders"));
            awaitShared(one, two);

            cluster.restart(coordinatorOf("sharers"));

            Clients.write(cluster.bootstrap(), "orders", Java.numbered("record", 50));
            int[] read = {0};
            Java.await("all records are read", () -> {
                read[0] += one.poll(Duration.ofMillis(20)).count()
                        + two.poll(Duration.ofMillis(20)).count();
                return read[0] >= 50;
            });
            awaitShared(one, two);
        }
    }

    private static void awaitShared(KafkaConsumer<String, String> one, KafkaConsumer<String, String> two) {
        Java.await("each member has a partition", () -> {
            one.poll(Duration.ofMillis(20));
            two.poll(Duration.ofMillis(20));
            return one.assignment().size() == 1 && two.assignment().size() == 1;
        });
    }

    private int coordinatorOf(String group) {
        int partitions = cluster.view()
                .topic("__consumer_offsets")
                .orElseThrow()
                .partitions()
                .size();
        return cluster.leader("__consumer_offsets", Math.abs(group.hashCode()) % partitions);
    }
}
