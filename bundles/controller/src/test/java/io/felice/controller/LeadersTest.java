package io.felice.controller;

import static io.felice.controller.ControllerSetup.broker;
import static io.felice.controller.ControllerSetup.only;
import static io.felice.controller.ControllerSetup.withBrokers;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.LastEnd;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Elections when brokers come and go and on request, and reassignments. */
class LeadersTest {
    private static final TopicPartition T0 = new TopicPartition("t", 0);
    private static final UUID TOPIC = new UUID(1, 1);

    @Test
    void aLoneBrokerLeadsAgainAfterItsRestartInAGreaterEpoch() {
        ControllerSetup setup = new ControllerSetup();
        setup.controller.bind(setup.cluster);
        Subscription registration = setup.register(broker(1));
        setup.create("t", 1, 1);
        registration.close();
        PartitionState away = setup.partition("t", 0);

        setup.register(broker(1));

        assertThat(away.leader()).isEqualTo(PartitionState.NO_LEADER);
        assertThat(away.isr()).containsExactly(1);
        assertThat(setup.partition("t", 0).leader()).isEqualTo(1);
        assertThat(setup.partition("t", 0).leaderEpoch()).isGreaterThan(away.leaderEpoch());
        assertThat(setup.partition("t", 0).isr()).containsExactly(1);
    }

    @Test
    void aBounceThatNobodySawGoingIsANewLeaderEpochToo() {
        BrokerRegistration before = broker(1);
        ClusterView view = view(Map.of(1, before), state(List.of(1), List.of(1), 1));

        PartitionState after = after(view, live(broker(1), 20));

        assertThat(after.leader()).isEqualTo(1);
        assertThat(after.leaderEpoch()).isEqualTo(6);
    }

    @Test
    void aNewSessionOfTheSameProcessIsNoNewLeaderEpoch() {
        BrokerRegistration broker = broker(1);
        ClusterView view = view(Map.of(1, broker), state(List.of(1), List.of(1), 1));

        ClusterView after = view.after(
                2,
                Leaders.brokersChanged(ClusterConfigs.of(view), List.of(live(broker, 20)))
                        .records());

        assertThat(after.broker(1).orElseThrow().epoch()).isEqualTo(20);
        assertThat(partition(after)).isEqualTo(partition(view));
    }

    @Test
    void theFirstLiveReplicaInSyncFollowsALeaderThatIsGone() {
        BrokerRegistration two = broker(2);
        BrokerRegistration three = broker(3);
        ClusterView view = view(Map.of(1, broker(1), 2, two, 3, three), state(List.of(2, 1, 3), List.of(1, 3), 1));

        PartitionState after = after(view, live(two, 2), live(three, 3));

        assertThat(after.leader()).isEqualTo(3);
        assertThat(after.leaderEpoch()).isEqualTo(6);
        assertThat(after.isr()).containsExactly(3);
    }

    @Test
    void withoutALiveReplicaInSyncNobodyLeadsAndTheIsrStays() {
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, broker(1), 2, two), state(List.of(1, 2), List.of(1), 1));

        PartitionState after = after(view, live(two, 2));

        assertThat(after.leader()).isEqualTo(PartitionState.NO_LEADER);
        assertThat(after.isr()).containsExactly(1);
        assertThat(after.leaderEpoch()).isEqualTo(6);
    }

    @Test
    void aBrokerWithAnEmptiedDiskLeavesEveryIsr() {
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, broker(1), 2, two), state(List.of(1, 2), List.of(1, 2), 1));

        PartitionState after = after(view, live(broker(1, UUID.randomUUID()), 10), live(two, 2));

        assertThat(after.isr()).containsExactly(2);
        assertThat(after.leader()).isEqualTo(2);
        assertThat(after.recovering()).isFalse();
    }

    @Test
    void theLastReplicaInSyncLeadsOnWithAnEmptiedDiskAndItIsWrittenDown() {
        ClusterView gone = view(Map.of(1, broker(1)), state(List.of(1), List.of(1), 1));
        gone = gone.after(
                2, Leaders.brokersChanged(ClusterConfigs.of(gone), List.of()).records());

        PartitionState after = after(gone, live(broker(1, UUID.randomUUID()), 10));

        assertThat(after.leader()).isEqualTo(1);
        assertThat(after.isr()).containsExactly(1);
        assertThat(after.recovering()).isTrue();
    }

    @Test
    void aDeadFollowerLeavesTheIsrOfALeaderThatGoesOn() {
        BrokerRegistration one = broker(1);
        ClusterView view = view(Map.of(1, one, 2, broker(2)), state(List.of(1, 2), List.of(1, 2), 1));

        PartitionState after = after(view, live(one, 1));

        assertThat(after.isr()).containsExactly(1);
        assertThat(after.leader()).isEqualTo(1);
        assertThat(after.leaderEpoch()).isEqualTo(5);
        assertThat(after.partitionEpoch()).isEqualTo(9);
    }

    @Test
    void whenAllInSyncReplicasDieTogetherAllOfThemStayInTheIsr() {
        ClusterView view = view(Map.of(1, broker(1), 2, broker(2)), state(List.of(1, 2), List.of(1, 2), 1));

        PartitionState after = after(view);

        assertThat(after.isr()).containsExactly(1, 2);
        assertThat(after.hasLeader()).isFalse();
    }

    @Test
    void aBounceOfTheLeaderGivesTheLeadershipToAReplicaThatRunsAlready() {
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, broker(1), 2, two), state(List.of(1, 2), List.of(1, 2), 1));

        PartitionState after = after(view, live(broker(1), 10), live(two, 2));

        assertThat(after.leader()).isEqualTo(2);
        assertThat(after.isr()).containsExactly(1, 2);
    }

    @Test
    void aRestartedReplicaWhoseEngineDoesNotSurviveLeavesTheIsr() {
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, broker(1), 2, two), state(List.of(1, 2), List.of(1, 2), 2));

        assertThat(after(view, live(restarted(LastEnd.KILLED), 10), live(two, 2))
                        .isr())
                .containsExactly(1, 2);
        assertThat(after(inMemory(view), live(restarted(LastEnd.STOPPED), 10), live(two, 2))
                        .isr())
                .containsExactly(2);
        assertThat(after(inMemory(view), live(restarted(LastEnd.REPLACED), 10), live(two, 2))
                        .isr())
                .containsExactly(1, 2);
    }

    @Test
    void whatAReplicaPromisedDecidesWhetherItSurvivesAPowerCut() {
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, broker(1), 2, two), state(List.of(1, 2), List.of(1, 2), 2));
        LiveRegistration lostPower = live(restarted(LastEnd.POWER_LOST), 10);
        LiveRegistration killed = live(restarted(LastEnd.KILLED), 10);

        assertThat(after(view, lostPower, live(two, 2)).isr()).containsExactly(2);
        assertThat(after(durability(view, "power"), lostPower, live(two, 2)).isr())
                .containsExactly(1, 2);
        assertThat(after(durability(view, "none"), killed, live(two, 2)).isr()).containsExactly(2);
    }

    @Test
    void theLastReplicaInSyncWaitsForNobodyIfItsRecordsAreLost() {
        ClusterView gone = inMemory(view(Map.of(1, broker(1)), state(List.of(1, 2), List.of(1), 1)));
        gone = gone.after(
                2, Leaders.brokersChanged(ClusterConfigs.of(gone), List.of()).records());

        PartitionState after = after(gone, live(restarted(LastEnd.KILLED), 10));

        assertThat(after.leader()).isEqualTo(1);
        assertThat(after.recovering()).isTrue();
    }

    @Test
    void anEligibleReplicaLeadsWithoutLossIfNoInSyncReplicaCan() {
        BrokerRegistration two = broker(2);
        PartitionState belowMin =
                new PartitionState(List.of(1, 2, 3), List.of(1), List.of(2), List.of(), List.of(), 1, 5, 8, false);
        ClusterView view = minInSync(view(Map.of(1, broker(1), 2, two), belowMin), "2");

        PartitionState after = after(view, live(two, 2));

        assertThat(after.leader()).isEqualTo(2);
        assertThat(after.isr()).containsExactly(2);
        assertThat(after.eligible()).containsExactly(1);
        assertThat(after.recovering()).isFalse();
    }

    @Test
    void eligibleReplicasTakeThePlaceOfAnInSyncReplicaThatLostItsRecords() {
        PartitionState belowMin =
                new PartitionState(List.of(1, 2, 3), List.of(1), List.of(2), List.of(), List.of(), -1, 5, 8, false);
        ClusterView view = inMemory(minInSync(view(Map.of(1, broker(1)), belowMin), "2"));

        PartitionState after = after(view, live(restarted(LastEnd.KILLED), 10));

        assertThat(after.hasLeader()).isFalse();
        assertThat(after.isr()).containsExactly(2);
        assertThat(after.eligible()).isEmpty();
    }

    @Test
    void aReplicaThatIsNotInSyncLeadsOnlyIfTheTopicAllowsIt() {
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, broker(1), 2, two), state(List.of(1, 2), List.of(1), 1));

        PartitionState refused = after(view, live(two, 2));
        PartitionState allowed = after(config(view, TopicConfig.UNCLEAN_LEADER_ELECTION, "true"), live(two, 2));

        assertThat(refused.hasLeader()).isFalse();
        assertThat(allowed.leader()).isEqualTo(2);
        assertThat(allowed.isr()).containsExactly(2);
        assertThat(allowed.recovering()).isTrue();
        assertThat(allowed.leaderEpoch()).isEqualTo(6);
    }

    @Test
    void aLeaderThatDiesWhileItRecoversHasStillToRecoverWhenItReturns() {
        BrokerRegistration one = broker(1);
        PartitionState recovering = new PartitionState(List.of(1, 2), List.of(1), List.of(), List.of(), 1, 5, 8, true);
        ClusterView view = view(Map.of(1, one), recovering);
        view = view.after(
                2, Leaders.brokersChanged(ClusterConfigs.of(view), List.of()).records());

        PartitionState after = after(view, live(one, 10));

        assertThat(after.leader()).isEqualTo(1);
        assertThat(after.recovering()).isTrue();
    }

    @Test
    void aBrokerThatIsAboutToStopHandsItsPartitionsOverAndGetsNoneInThisEpoch() {
        BrokerRegistration one = broker(1);
        BrokerRegistration two = broker(2);
        ClusterView view = view(Map.of(1, one, 2, two), state(List.of(1, 2), List.of(1, 2), 1));

        ControllerResult<Integer, Integer> left = Leaders.leave(ClusterConfigs.of(view), 1, 1);

        ClusterView after = view.after(2, left.records());
        assertThat(left.outcomes().get(1).value()).isZero();
        assertThat(partition(after).leader()).isEqualTo(2);
        assertThat(partition(after).isr()).containsExactly(2);
        assertThat(after.broker(1).orElseThrow().leaving()).isTrue();
        assertThat(error(Leaders.elect(ClusterConfigs.of(after), Optional.of(Set.of(T0)), false)))
                .isEqualTo(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE);
        assertThat(after(after, live(one, 1)).hasLeader()).isFalse();
        assertThat(after.after(3, after.toRecords()).broker(1).orElseThrow().leaving())
                .isTrue();
    }

    @Test
    void aBrokerThatIsAboutToStopLeadsOnWhereNoOtherReplicaIsInSync() {
        ClusterView view = view(Map.of(1, broker(1), 2, broker(2)), state(List.of(1, 2), List.of(1), 1));

        ControllerResult<Integer, Integer> left = Leaders.leave(ClusterConfigs.of(view), 1, 1);

        assertThat(left.outcomes().get(1).value()).isEqualTo(1);
        assertThat(partition(view.after(2, left.records())).leader()).isEqualTo(1);
    }

    @Test
    void aRequestToLeaveOfAnEarlierBrokerEpochIsRefused() {
        ClusterView view = view(Map.of(1, broker(1)), state(List.of(1), List.of(1), 1));

        ControllerResult<Integer, Integer> left = Leaders.leave(ClusterConfigs.of(view), 1, 0);

        assertThat(left.outcomes().get(1).error()).isEqualTo(ErrorCode.STALE_BROKER_EPOCH);
        assertThat(left.records()).isEmpty();
    }

    @Test
    void thePreferredLeaderIsElectedWhenItCan() {
        ClusterView view = view(Map.of(1, broker(1), 2, broker(2)), state(List.of(1, 2), List.of(2, 1), 2));

        ControllerResult<TopicPartition, Void> elected =
                Leaders.elect(ClusterConfigs.of(view), Optional.of(Set.of(T0)), false);

        ClusterView after = view.after(2, elected.records());
        assertThat(partition(after).leader()).isEqualTo(1);
        assertThat(partition(after).leaderEpoch()).isEqualTo(6);
        assertThat(error(Leaders.elect(ClusterConfigs.of(after), Optional.of(Set.of(T0)), false)))
                .isEqualTo(ErrorCode.ELECTION_NOT_NEEDED);
        assertThat(Leaders.elect(ClusterConfigs.of(after), Optional.empty(), false)
                        .outcomes())
                .isEmpty();
        assertThat(error(Leaders.elect(
                        ClusterConfigs.of(after), Optional.of(Set.of(new TopicPartition("t", 9))), false)))
                .isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        ClusterView behind = view(Map.of(1, broker(1), 2, broker(2)), state(List.of(1, 2), List.of(2), 2));
        assertThat(error(Leaders.elect(ClusterConfigs.of(behind), Optional.of(Set.of(T0)), false)))
                .isEqualTo(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE);
    }

    @Test
    void anUncleanElectionTakesWhoeverLivesAndSaysSo() {
        ClusterView view = view(Map.of(2, broker(2)), state(List.of(1, 2), List.of(1), -1));

        ControllerResult<TopicPartition, Void> elected = Leaders.elect(ClusterConfigs.of(view), Optional.empty(), true);

        PartitionState after = partition(view.after(2, elected.records()));
        assertThat(after.leader()).isEqualTo(2);
        assertThat(after.isr()).containsExactly(2);
        assertThat(after.recovering()).isTrue();
        ClusterView nobody = view(Map.of(3, broker(3)), state(List.of(1, 2), List.of(1), -1));
        assertThat(error(Leaders.elect(ClusterConfigs.of(nobody), Optional.of(Set.of(T0)), true)))
                .isEqualTo(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE);
    }

    @Test
    void aMoveToTheSameReplicasIsDoneAtOnce() {
        ControllerSetup setup = withBrokers(1);
        setup.create("t", 1, 1);
        PartitionState before = setup.partition("t", 0);

        assertThat(only(setup.controller.reassign(Map.of(T0, Optional.of(List.of(1)))))
                        .error())
                .isEqualTo(ErrorCode.NONE);

        assertThat(setup.partition("t", 0)).isEqualTo(before);
        assertThat(only(setup.controller.reassign(Map.of(T0, Optional.of(List.of(5)))))
                        .error())
                .isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(only(setup.controller.reassign(Map.of(T0, Optional.empty()))).error())
                .isEqualTo(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
        assertThat(only(setup.controller.reassign(Map.of(new TopicPartition("x", 0), Optional.of(List.of(1)))))
                        .error())
                .isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void aMoveGrowsToOldAndNewAndWaitsForTheNewToBeInSync() {
        ControllerSetup setup = withBrokers(1, 2);
        NewTopic topic = new NewTopic("t", -1, -1, Map.of(0, List.of(1)), Map.of());
        only(setup.controller.createTopics(List.of(topic), false));

        only(setup.controller.reassign(Map.of(T0, Optional.of(List.of(2)))));

        PartitionState moving = setup.partition("t", 0);
        assertThat(moving.replicas()).containsExactly(2, 1);
        assertThat(moving.adding()).containsExactly(2);
        assertThat(moving.removing()).containsExactly(1);
        assertThat(moving.isr()).containsExactly(1);
        assertThat(moving.leader()).isEqualTo(1);

        only(setup.controller.reassign(Map.of(T0, Optional.empty())));

        PartitionState cancelled = setup.partition("t", 0);
        assertThat(cancelled.replicas()).containsExactly(1);
        assertThat(cancelled.adding()).isEmpty();
        assertThat(cancelled.removing()).isEmpty();
        assertThat(cancelled.leader()).isEqualTo(1);
        assertThat(cancelled.leaderEpoch()).isGreaterThan(moving.leaderEpoch());
    }

    @Test
    void aMoveToFewerReplicasThanMinInSyncIsRefused() {
        ControllerSetup setup = withBrokers(1, 2, 3);
        only(setup.controller.createTopics(List.of(ofTwoInSync()), false));

        Outcome<Void> one = only(setup.controller.reassign(Map.of(T0, Optional.of(List.of(3)))));
        Outcome<Void> two = only(setup.controller.reassign(Map.of(T0, Optional.of(List.of(3, 2)))));

        assertThat(one.error()).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(one.message()).contains("fewer than min.insync.replicas (2)", "Lower min.insync.replicas");
        assertThat(two.error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aMoveIsNotCancelledWhileTooFewOfTheFormerReplicasAreInSync() {
        ControllerSetup setup = withBrokers(1, 2, 3);
        only(setup.controller.createTopics(List.of(ofTwoInSync()), false));
        only(setup.controller.reassign(Map.of(T0, Optional.of(List.of(3, 2)))));
        propose(setup, 1, 3);

        Outcome<Void> early = only(setup.controller.reassign(Map.of(T0, Optional.empty())));
        PartitionState kept = setup.partition("t", 0);
        propose(setup, 1, 2);
        Outcome<Void> late = only(setup.controller.reassign(Map.of(T0, Optional.empty())));

        assertThat(early.error()).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(early.message()).contains("only [1] are in sync", "The brokers [2] have to be in sync first");
        assertThat(kept.isr()).containsExactlyInAnyOrder(1, 3);
        assertThat(late.error()).as(late.message()).isEqualTo(ErrorCode.NONE);
        assertThat(setup.partition("t", 0).replicas()).containsExactlyInAnyOrder(1, 2);
    }

    private static NewTopic ofTwoInSync() {
        return new NewTopic("t", -1, -1, Map.of(0, List.of(1, 2)), Map.of("min.insync.replicas", "2"));
    }

    /** The leader proposes these replicas as those in sync. */
    private static void propose(ControllerSetup setup, Integer... isr) {
        PartitionState state = setup.partition("t", 0);
        Map<Integer, Long> epochs = new HashMap<>();
        for (int id : isr) {
            epochs.put(id, setup.view().broker(id).orElseThrow().epoch());
        }
        Outcome<PartitionState> outcome = only(setup.controller.alterInSync(
                state.leader(),
                setup.view().broker(state.leader()).orElseThrow().epoch(),
                Map.of(
                        new PartitionId(setup.topicId("t"), 0),
                        new InSyncChange(state.leaderEpoch(), state.partitionEpoch(), epochs, false))));
        assertThat(outcome.error()).as(outcome.message()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aMoveWithinTheReplicasInSyncIsDoneAtOnceAndTheLeaderMovesAlong() {
        ClusterView view = view(Map.of(1, broker(1), 2, broker(2)), state(List.of(1, 2), List.of(1, 2), 1));

        ControllerResult<TopicPartition, Void> moved =
                Reassignments.reassign(ClusterConfigs.of(view), Map.of(T0, Optional.of(List.of(2))));

        PartitionState after = partition(view.after(2, moved.records()));
        assertThat(after.replicas()).containsExactly(2);
        assertThat(after.isr()).containsExactly(2);
        assertThat(after.leader()).isEqualTo(2);
        assertThat(after.leaderEpoch()).isEqualTo(6);
        assertThat(after.adding()).isEmpty();
        assertThat(after.removing()).isEmpty();
    }

    private static ErrorCode error(ControllerResult<TopicPartition, Void> result) {
        return result.outcomes().values().iterator().next().error();
    }

    private static PartitionState after(ClusterView view, LiveRegistration... live) {
        return partition(view.after(
                view.version() + 1,
                Leaders.brokersChanged(ClusterConfigs.of(view), List.of(live)).records()));
    }

    /** Broker 1 with the same disk, and the engines log and memory. */
    private static BrokerRegistration restarted(LastEnd lastEnd) {
        BrokerRegistration broker = broker(1);
        return new BrokerRegistration(
                1,
                broker.incarnation(),
                broker.storeId(),
                broker.endpoints(),
                null,
                Map.of(
                        "log", Set.of(EngineTrait.SURVIVES_KILL, EngineTrait.SURVIVES_POWER_LOSS),
                        "memory", Set.of()),
                lastEnd);
    }

    private static ClusterView inMemory(ClusterView view) {
        return config(view, TopicConfig.STORAGE_ENGINE, "memory");
    }

    private static ClusterView durability(ClusterView view, String value) {
        return config(view, TopicConfig.STORAGE_DURABILITY, value);
    }

    private static ClusterView minInSync(ClusterView view, String value) {
        return config(view, TopicConfig.MIN_INSYNC_REPLICAS, value);
    }

    private static ClusterView config(ClusterView view, String key, String value) {
        return view.after(view.version(), List.of(new MetadataRecord.ConfigSet(ConfigResource.topic("t"), key, value)));
    }

    private static PartitionState partition(ClusterView view) {
        return view.topic("t").orElseThrow().partitions().get(0);
    }

    private static LiveRegistration live(BrokerRegistration broker, long epoch) {
        return new LiveRegistration(broker, epoch);
    }

    private static PartitionState state(List<Integer> replicas, List<Integer> isr, int leader) {
        return new PartitionState(replicas, isr, List.of(), List.of(), leader, 5, 8, false);
    }

    /** One topic {@code t} with one partition; each broker's epoch is its id. */
    private static ClusterView view(Map<Integer, BrokerRegistration> brokers, PartitionState state) {
        List<MetadataRecord> records = new ArrayList<>();
        brokers.forEach((id, broker) -> records.add(new MetadataRecord.BrokerRegistered(broker, id)));
        records.add(new MetadataRecord.TopicCreated(TOPIC, "t"));
        records.add(new MetadataRecord.PartitionChanged(TOPIC, 0, state));
        return ClusterView.EMPTY.after(1, records);
    }
}
