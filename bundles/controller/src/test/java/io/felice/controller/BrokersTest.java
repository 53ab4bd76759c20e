package io.felice.controller;

import static io.felice.controller.ControllerSetup.broker;
import static io.felice.controller.ControllerSetup.only;
import static io.felice.controller.ControllerSetup.withBrokers;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.status.StatusTable;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Brokers that are drained and removed, and partitions that go back to their preferred leaders. */
class BrokersTest {
    @Test
    void aDrainedBrokerGivesItsReplicasToOthersAndGetsNoNewOnes() {
        ControllerSetup setup = withBrokers(1, 2, 3, 4);
        setup.create("t", 8, 3);

        assertThat(only(setup.controller.drain(2, true)).value()).isZero();

        for (int partition = 0; partition < 8; partition++) {
            PartitionState state = setup.partition("t", partition);
            if (state.replicas().contains(2)) {
                assertThat(state.removing()).containsExactly(2);
                assertThat(state.adding()).hasSize(1);
                joinAll(setup, "t", partition);
            }
            assertThat(setup.partition("t", partition).replicas()).hasSize(3).doesNotContain(2);
            assertThat(setup.partition("t", partition).hasLeader()).isTrue();
        }
        setup.create("later", 6, 3);
        assertThat(IntStream.range(0, 6).boxed().flatMap(p -> setup.partition("later", p).replicas().stream()))
                .doesNotContain(2);
        only(setup.controller.drain(2, false));
        setup.create("again", 6, 4);
    }

    @Test
    void whatNoOtherBrokerCanKeepStaysAndIsCounted() {
        ControllerSetup setup = withBrokers(1, 2);
        setup.create("t", 3, 2);

        assertThat(only(setup.controller.drain(2, true)).value()).isEqualTo(3);

        assertThat(setup.partition("t", 0).isBeingReassigned()).isFalse();
        assertThat(only(setup.controller.drain(9, true)).error()).isEqualTo(ErrorCode.BROKER_ID_NOT_REGISTERED);
    }

    @Test
    void aBrokerIsRemovedWhenItIsGoneAndHasNoReplicas() {
        ControllerSetup setup = withBrokers(1);
        Subscription two = setup.register(broker(2));
        only(setup.controller.createTopics(
                List.of(new NewTopic("t", -1, -1, Map.of(0, List.of(1, 2)), Map.of())), false));
        assertThat(only(setup.controller.removeBroker(2)).message()).contains("Broker 2 runs");
        two.close();
        assertThat(only(setup.controller.removeBroker(2)).message()).contains("has replicas of 1 partitions");
        only(setup.controller.reassign(Map.of(new TopicPartition("t", 0), Optional.of(List.of(1)))));

        Outcome<Void> removed = only(setup.controller.removeBroker(2));

        assertThat(removed.error()).isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().lastRegistration(2)).isEmpty();
        assertThat(only(setup.controller.removeBroker(2)).error()).isEqualTo(ErrorCode.BROKER_ID_NOT_REGISTERED);
        setup.register(broker(2));
        assertThat(setup.view().brokers()).containsOnlyKeys(1, 2);
    }

    @Test
    void partitionsGoBackToTheirPreferredLeadersAfterTheInterval() {
        ControllerSetup setup = withBrokers(1);
        led(setup);
        assertThat(setup.partition("t", 0).leader()).isEqualTo(1);
        assertThat(notPreferred(setup)).isEqualTo(1L);

        setup.thread.pass(Duration.ofSeconds(300));

        assertThat(setup.partition("t", 0).leader()).isEqualTo(2);
        assertThat(notPreferred(setup)).isEqualTo(0L);
    }

    @Test
    void partitionsStayWhereTheyAreIfTheConfigSaysSo() {
        ControllerSetup setup = withBrokers(1);
        led(setup);
        setup.controller.alterConfigs(
                Map.of(
                        ConfigResource.allBrokers(),
                        List.of(new ConfigChange("auto.leader.rebalance.enable", ConfigChange.Operation.SET, "false"))),
                false);

        setup.thread.pass(Duration.ofSeconds(300));

        assertThat(setup.partition("t", 0).leader()).isEqualTo(1);
    }

    /** Broker 2 is preferred and in sync, and broker 1 leads. */
    private static void led(ControllerSetup setup) {
        BrokerRegistration two = broker(2);
        Subscription registration = setup.register(two);
        only(setup.controller.createTopics(
                List.of(new NewTopic("t", -1, -1, Map.of(0, List.of(2, 1)), Map.of())), false));
        registration.close();
        setup.register(two);
        joinAll(setup, "t", 0);
    }

    @Test
    void anUncleanElectionHappensAtOnceWhenTheTopicIsSetToAllowIt() {
        ControllerSetup setup = withBrokers(1);
        Subscription two = setup.register(broker(2));
        only(setup.controller.createTopics(
                List.of(new NewTopic("t", -1, -1, Map.of(0, List.of(2, 1)), Map.of())), false));
        leaderAlone(setup, "t", 0);
        two.close();
        assertThat(setup.partition("t", 0).hasLeader()).isFalse();

        setup.controller.alterConfigs(
                Map.of(
                        ConfigResource.topic("t"),
                        List.of(new ConfigChange(
                                "unclean.leader.election.enable", ConfigChange.Operation.SET, "true"))),
                false);

        assertThat(setup.partition("t", 0).leader()).isEqualTo(1);
        assertThat(setup.partition("t", 0).recovering()).isTrue();
    }

    @Test
    void aLowerMinimumEndsTheEligibilityOfReplicasThatMissRecordsFromThenOn() {
        ControllerSetup setup = withBrokers(1, 2);
        only(setup.controller.createTopics(
                List.of(new NewTopic("t", -1, -1, Map.of(0, List.of(1, 2)), Map.of("min.insync.replicas", "2"))),
                false));
        leaderAlone(setup, "t", 0);
        assertThat(setup.partition("t", 0).eligible()).containsExactly(2);

        setup.controller.alterConfigs(
                Map.of(
                        ConfigResource.topic("t"),
                        List.of(new ConfigChange("min.insync.replicas", ConfigChange.Operation.SET, "1"))),
                false);

        assertThat(setup.partition("t", 0).eligible()).isEmpty();
    }

    @Test
    void theStatusCountsWhatIsWrongWithPartitions() {
        ControllerSetup setup = withBrokers(1);
        Subscription two = setup.register(broker(2));
        setup.controller.createTopics(
                List.of(
                        new NewTopic("a", -1, -1, Map.of(0, List.of(2, 1)), Map.of("min.insync.replicas", "2")),
                        new NewTopic("b", -1, -1, Map.of(0, List.of(2)), Map.of())),
                false);

        two.close();

        Map<String, Object> counts = row(setup, "controller.partitions");
        assertThat(counts)
                .containsEntry("partitions", 2L)
                .containsEntry("offline", 1L)
                .containsEntry("under.replicated", 1L)
                .containsEntry("under.min.isr", 1L)
                .containsEntry("reassigning", 0L)
                .containsEntry("not.preferred", 1L);
        assertThat(row(setup, "controller"))
                .containsEntry("role", "controller")
                .containsEntry("controller", "1")
                .hasEntrySatisfying("since", since -> assertThat((String) since).endsWith("Z"));
    }

    private static Object notPreferred(ControllerSetup setup) {
        return row(setup, "controller.partitions").get("not.preferred");
    }

    private static Map<String, Object> row(ControllerSetup setup, String name) {
        StatusTable table = setup.controller.tables().stream()
                .filter(each -> each.schema().name().equals(name))
                .findFirst()
                .orElseThrow();
        Map<String, Object> row = new HashMap<>();
        for (int i = 0; i < table.schema().columns().size(); i++) {
            row.put(table.schema().columns().get(i).name(), table.rows().get(0).get(i));
        }
        return row;
    }

    private static void joinAll(ControllerSetup setup, String topic, int partition) {
        propose(setup, topic, partition, setup.partition(topic, partition).replicas());
    }

    private static void leaderAlone(ControllerSetup setup, String topic, int partition) {
        propose(
                setup,
                topic,
                partition,
                List.of(setup.partition(topic, partition).leader()));
    }

    private static void propose(ControllerSetup setup, String topic, int partition, List<Integer> isr) {
        PartitionState state = setup.partition(topic, partition);
        Map<Integer, Long> epochs = new HashMap<>();
        isr.forEach(id -> epochs.put(id, setup.view().broker(id).orElseThrow().epoch()));
        Outcome<PartitionState> outcome = only(setup.controller.alterInSync(
                state.leader(),
                setup.view().broker(state.leader()).orElseThrow().epoch(),
                Map.of(
                        new PartitionId(setup.topicId(topic), partition),
                        new InSyncChange(state.leaderEpoch(), state.partitionEpoch(), epochs, false))));
        assertThat(outcome.error()).as(outcome.message()).isEqualTo(ErrorCode.NONE);
    }
}
