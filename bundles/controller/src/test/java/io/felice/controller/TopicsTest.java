package io.felice.controller;

import static io.felice.controller.ControllerSetup.only;
import static io.felice.controller.ControllerSetup.topic;
import static io.felice.controller.ControllerSetup.withBrokers;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.CreatedTopic;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewPartitions;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.Admin.RestoredTopic;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Topics are created, extended and deleted. */
class TopicsTest {
    @Test
    void aNewTopicIsPlacedInTurnAndLed() {
        ControllerSetup setup = withBrokers(1, 2, 3);

        Outcome<CreatedTopic> created = only(setup.controller.createTopics(List.of(topic("orders", 6, 2)), false));

        assertThat(created.value()).isEqualTo(new CreatedTopic(setup.topicId("orders"), 6, 2));
        Map<Integer, Integer> leaders = new HashMap<>();
        for (int partition = 0; partition < 6; partition++) {
            PartitionState state = setup.partition("orders", partition);
            assertThat(state.replicas()).hasSize(2).doesNotHaveDuplicates().isSubsetOf(1, 2, 3);
            assertThat(state.leader()).isEqualTo(state.replicas().get(0));
            assertThat(state.isr()).isEqualTo(state.replicas());
            assertThat(state.leaderEpoch()).isZero();
            leaders.merge(state.leader(), 1, Integer::sum);
        }
        assertThat(leaders).isEqualTo(Map.of(1, 2, 2, 2, 3, 2));
    }

    @Test
    void badTopicsAreRefusedAndTheirNeighboursMade() {
        ControllerSetup setup = withBrokers(1);
        setup.create("a.b", 1, 1);

        Decided<String, CreatedTopic> decided = setup.controller
                .createTopics(
                        List.of(
                                topic("good", 1, 1),
                                topic("", 1, 1),
                                topic("..", 1, 1),
                                topic("sp ace", 1, 1),
                                topic("x".repeat(250), 1, 1),
                                topic("a_b", 1, 1),
                                topic("a.b", 1, 1),
                                topic("none", 0, 1),
                                topic("many", 10_001, 1),
                                topic("copies", 1, 2),
                                topic("no-copy", 1, 0),
                                topic("twice", 1, 1),
                                topic("twice", 1, 1)),
                        false)
                .toCompletableFuture()
                .join();

        Map<String, ErrorCode> errors = new HashMap<>();
        decided.outcomes()
                .forEach((name, outcome) -> errors.put(name.substring(0, Math.min(8, name.length())), outcome.error()));
        assertThat(errors)
                .isEqualTo(Map.ofEntries(
                        Map.entry("good", ErrorCode.NONE),
                        Map.entry("", ErrorCode.INVALID_TOPIC_EXCEPTION),
                        Map.entry("..", ErrorCode.INVALID_TOPIC_EXCEPTION),
                        Map.entry("sp ace", ErrorCode.INVALID_TOPIC_EXCEPTION),
                        Map.entry("xxxxxxxx", ErrorCode.INVALID_TOPIC_EXCEPTION),
                        Map.entry("a_b", ErrorCode.INVALID_TOPIC_EXCEPTION),
                        Map.entry("a.b", ErrorCode.TOPIC_ALREADY_EXISTS),
                        Map.entry("none", ErrorCode.INVALID_PARTITIONS),
                        Map.entry("many", ErrorCode.POLICY_VIOLATION),
                        Map.entry("copies", ErrorCode.INVALID_REPLICATION_FACTOR),
                        Map.entry("no-copy", ErrorCode.INVALID_REPLICATION_FACTOR),
                        Map.entry("twice", ErrorCode.INVALID_REQUEST)));
        assertThat(decided.outcomes().get("copies").message())
                .isEqualTo("Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be"
                        + " reached because only 1 broker(s) are registered.");
        assertThat(setup.view().topics()).extracting(t -> t.name()).containsExactlyInAnyOrder("a.b", "good");
    }

    @Test
    void refusedTopicsLeaveTheirNeighboursTheRoomOfTheRequest() {
        ControllerSetup setup = withBrokers(1);
        NewTopic toNobody = new NewTopic("nobody", -1, -1, Map.of(0, List.of(1), 1, List.of(7)), Map.of());

        Decided<String, CreatedTopic> decided = setup.controller
                .createTopics(
                        List.of(
                                topic("copies", 10_000, 2),
                                toNobody,
                                topic("first", 9_999, 1),
                                topic("second", 2, 1),
                                topic("third", 1, 1)),
                        false)
                .toCompletableFuture()
                .join();

        Map<String, ErrorCode> errors = new HashMap<>();
        decided.outcomes().forEach((name, outcome) -> errors.put(name, outcome.error()));
        assertThat(errors)
                .isEqualTo(Map.of(
                        "copies", ErrorCode.INVALID_REPLICATION_FACTOR,
                        "nobody", ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                        "first", ErrorCode.NONE,
                        "second", ErrorCode.POLICY_VIOLATION,
                        "third", ErrorCode.NONE));
    }

    @Test
    void topicsThatCannotGrowLeaveTheirNeighboursTheRoomOfTheRequest() {
        ControllerSetup setup = withBrokers(1);
        setup.create("a", 1, 1);
        setup.create("b", 1, 1);

        Decided<String, Void> decided = setup.controller
                .createPartitions(
                        Map.of(
                                "a", new NewPartitions(10_001, List.of(List.of(1))),
                                "b", new NewPartitions(10_001, List.of())),
                        false)
                .toCompletableFuture()
                .join();

        assertThat(decided.outcomes().get("a").error()).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(decided.outcomes().get("b").error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void twoNewTopicsMayNotCollideWithEachOtherEither() {
        ControllerSetup setup = withBrokers(1);

        Decided<String, CreatedTopic> decided = setup.controller
                .createTopics(List.of(topic("x.y", 1, 1), topic("x_y", 1, 1)), false)
                .toCompletableFuture()
                .join();

        assertThat(decided.outcomes().get("x.y").error()).isEqualTo(ErrorCode.NONE);
        assertThat(decided.outcomes().get("x_y").error()).isEqualTo(ErrorCode.INVALID_TOPIC_EXCEPTION);
    }

    @Test
    void validationAloneMakesNothing() {
        ControllerSetup setup = withBrokers(1);
        long before = setup.view().version();

        Outcome<CreatedTopic> created = only(setup.controller.createTopics(List.of(topic("t", 3, 1)), true));

        assertThat(created.value().partitions()).isEqualTo(3);
        assertThat(setup.view().version()).isEqualTo(before);
    }

    @Test
    void anAssignmentByHandIsCheckedAndKept() {
        ControllerSetup setup = withBrokers(1, 2);
        assertThat(assigned(setup, "good", Map.of(0, List.of(2, 1), 1, List.of(1, 2))))
                .isEqualTo(ErrorCode.NONE);

        assertThat(setup.partition("good", 0).replicas()).containsExactly(2, 1);
        assertThat(setup.partition("good", 0).leader()).isEqualTo(2);
        assertThat(assigned(setup, "gap", Map.of(0, List.of(1), 2, List.of(1))))
                .isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(assigned(setup, "stranger", Map.of(0, List.of(9)))).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(assigned(setup, "double", Map.of(0, List.of(1, 1)))).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(assigned(setup, "uneven", Map.of(0, List.of(1), 1, List.of(1, 2))))
                .isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(assigned(setup, "empty", Map.of(0, List.of()))).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    }

    @Test
    void configsComeWithTheTopicOrTheTopicDoesNotCome() {
        ControllerSetup setup = withBrokers(1);
        assertThat(configured(setup, "good", Map.of("retention.ms", "5"))).isEqualTo(ErrorCode.NONE);

        assertThat(setup.view().configs(ConfigResource.topic("good"))).isEqualTo(Map.of("retention.ms", "5"));
        assertThat(configured(setup, "unknown", Map.of("colour", "red"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(configured(setup, "wrong", Map.of("retention.ms", "soon"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(configured(setup, "tidy", Map.of("cleanup.policy", "delete,tidy")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(configured(setup, "compacted", Map.of("cleanup.policy", "delete,compact")))
                .isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().topics()).hasSize(2);
    }

    @Test
    void aTopicIsMadeAgainUnderItsIdWithTheEpochsThatItsLogsNeed() {
        ControllerSetup setup = withBrokers(1, 2);
        UUID id = UUID.randomUUID();

        Outcome<CreatedTopic> made = only(setup.controller.restoreTopic(
                new RestoredTopic(id, "orders", 2, List.of(7, 0), Map.of("retention.ms", "-1"))));

        assertThat(made.value()).isEqualTo(new CreatedTopic(id, 2, 1));
        assertThat(setup.topicId("orders")).isEqualTo(id);
        assertThat(setup.partition("orders", 0).leaderEpoch()).isEqualTo(7);
        assertThat(setup.partition("orders", 0).replicas()).containsExactly(2);
        assertThat(setup.partition("orders", 1).leader()).isEqualTo(2);
        assertThat(setup.view().configs(ConfigResource.topic("orders"))).containsEntry("retention.ms", "-1");
    }

    @Test
    void aTopicIsNotMadeAgainOverAnotherOrOnABrokerThatIsNotThere() {
        ControllerSetup setup = withBrokers(1);
        setup.create("orders", 1, 1);
        UUID taken = setup.topicId("orders");
        UUID free = UUID.randomUUID();

        assertThat(restored(setup, free, "orders", 1, List.of(0))).isEqualTo(ErrorCode.TOPIC_ALREADY_EXISTS);
        assertThat(restored(setup, taken, "bills", 1, List.of(0))).isEqualTo(ErrorCode.TOPIC_ALREADY_EXISTS);
        assertThat(restored(setup, free, "bills", 9, List.of(0))).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(restored(setup, free, "bills", 1, List.of())).isEqualTo(ErrorCode.INVALID_PARTITIONS);
        assertThat(restored(setup, free, "a b", 1, List.of(0))).isEqualTo(ErrorCode.INVALID_TOPIC_EXCEPTION);
        assertThat(setup.view().topics()).hasSize(1);
    }

    private static ErrorCode restored(
            ControllerSetup setup, UUID id, String name, int broker, List<Integer> leaderEpochs) {
        return only(setup.controller.restoreTopic(new RestoredTopic(id, name, broker, leaderEpochs, Map.of())))
                .error();
    }

    @Test
    void aDeletedTopicIsGoneAndItsNameFree() {
        ControllerSetup setup = withBrokers(1);
        setup.create("t", 1, 1);
        UUID first = setup.topicId("t");

        Outcome<Void> deleted = only(setup.controller.deleteTopics(Set.of(first)));
        Outcome<Void> again = only(setup.controller.deleteTopics(Set.of(first)));
        setup.create("t", 2, 1);

        assertThat(deleted.error()).isEqualTo(ErrorCode.NONE);
        assertThat(again.error()).isEqualTo(ErrorCode.UNKNOWN_TOPIC_ID);
        assertThat(setup.topicId("t")).isNotEqualTo(first);
        assertThat(setup.view().topic(first)).isEmpty();
    }

    @Test
    void theClusterTakesNoMorePartitionsThanItMayHave() {
        ControllerSetup setup = withBrokers(1);
        setup.create("many", 9_000, 1);
        setup.create("more", 5_990, 1);

        Decided<String, CreatedTopic> decided = setup.controller
                .createTopics(List.of(topic("fits", 6, 1), topic("not", 5, 1), topic("rest", 4, 1)), false)
                .toCompletableFuture()
                .join();

        assertThat(decided.outcomes().get("fits").error()).isEqualTo(ErrorCode.NONE);
        assertThat(decided.outcomes().get("not").error()).isEqualTo(ErrorCode.POLICY_VIOLATION);
        assertThat(decided.outcomes().get("not").message())
                .contains("14996 partitions")
                .contains("partitions.max");
        assertThat(decided.outcomes().get("rest").error()).isEqualTo(ErrorCode.NONE);
        assertThat(grown(setup, "many", new NewPartitions(9_001, List.of()))).isEqualTo(ErrorCode.POLICY_VIOLATION);
        only(setup.controller.deleteTopics(
                Set.of(setup.view().topic("rest").orElseThrow().topicId())));
        assertThat(grown(setup, "many", new NewPartitions(9_001, List.of()))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aTopicGrowsButDoesNotShrink() {
        ControllerSetup setup = withBrokers(1, 2);
        setup.create("t", 2, 1);
        PartitionState before = setup.partition("t", 0);

        assertThat(grown(setup, "t", new NewPartitions(5, List.of()))).isEqualTo(ErrorCode.NONE);
        assertThat(grown(setup, "t", new NewPartitions(6, List.of(List.of(2))))).isEqualTo(ErrorCode.NONE);

        assertThat(setup.view().topic("t").orElseThrow().partitions()).containsOnlyKeys(0, 1, 2, 3, 4, 5);
        assertThat(setup.partition("t", 0)).isEqualTo(before);
        assertThat(setup.partition("t", 5).replicas()).containsExactly(2);
        assertThat(grown(setup, "t", new NewPartitions(6, List.of()))).isEqualTo(ErrorCode.INVALID_PARTITIONS);
        assertThat(grown(setup, "t", new NewPartitions(1, List.of()))).isEqualTo(ErrorCode.INVALID_PARTITIONS);
        assertThat(grown(setup, "t", new NewPartitions(200_001, List.of()))).isEqualTo(ErrorCode.INVALID_PARTITIONS);
        assertThat(grown(setup, "t", new NewPartitions(10_007, List.of()))).isEqualTo(ErrorCode.POLICY_VIOLATION);
        assertThat(grown(setup, "x", new NewPartitions(2, List.of()))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(grown(setup, "t", new NewPartitions(8, List.of(List.of(1)))))
                .isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    }

    @Test
    void whyATopicDoesNotGrowIsSaidInKafkasWords() {
        ControllerSetup setup = withBrokers(1, 2);
        setup.create("t", 2, 1);

        assertThat(whyNot(setup, 2, List.of())).isEqualTo("Topic already has 2 partition(s).");
        assertThat(whyNot(setup, 1, List.of()))
                .isEqualTo("The topic t currently has 2 partition(s); 1 would not be an increase.");
        assertThat(whyNot(setup, 4, List.of(List.of(1))))
                .isEqualTo("Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
        assertThat(whyNot(setup, 3, List.of(List.of())))
                .isEqualTo("The manual partition assignment includes an empty replica list.");
        assertThat(whyNot(setup, 3, List.of(List.of(9))))
                .isEqualTo("The manual partition assignment includes broker 9, but no such broker is registered.");
        assertThat(whyNot(setup, 3, List.of(List.of(1, 1))))
                .isEqualTo("The manual partition assignment includes the broker 1 more than once.");
        assertThat(whyNot(setup, 3, List.of(List.of(1, 2))))
                .isEqualTo("The manual partition assignment includes a partition with 2 replica(s), but this is not"
                        + " consistent with previous partitions, which have 1 replica(s).");
    }

    private static String whyNot(ControllerSetup setup, int count, List<List<Integer>> assignments) {
        NewPartitions partitions = new NewPartitions(count, assignments);
        return only(setup.controller.createPartitions(Map.of("t", partitions), false))
                .message();
    }

    private static ErrorCode assigned(ControllerSetup setup, String name, Map<Integer, List<Integer>> assignments) {
        NewTopic topic = new NewTopic(name, -1, -1, assignments, Map.of());
        return only(setup.controller.createTopics(List.of(topic), false)).error();
    }

    private static ErrorCode configured(ControllerSetup setup, String name, Map<String, String> configs) {
        NewTopic topic = new NewTopic(name, 1, 1, Map.of(), configs);
        return only(setup.controller.createTopics(List.of(topic), false)).error();
    }

    private static ErrorCode grown(ControllerSetup setup, String name, NewPartitions partitions) {
        return only(setup.controller.createPartitions(Map.of(name, partitions), false))
                .error();
    }
}
