package io.felice.controller;

import static io.felice.controller.ControllerSetup.broker;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Changes of the in-sync replicas that leaders propose. Broker 1 leads in leader epoch 5 and partition epoch 8. */
class InSyncTest {
    private static final UUID TOPIC = new UUID(1, 1);
    private static final PartitionId PARTITION = new PartitionId(TOPIC, 0);

    @Test
    void aReplicaJoinsAndLeavesInOrderOfTheAssignment() {
        ClusterView view = view(state(List.of(3, 1, 2), List.of(1)));

        PartitionState joined = accepted(view, change(8, Map.of(1, 1L, 3, 3L)));
        PartitionState left = accepted(view(joined), change(9, Map.of(1, 1L)));

        assertThat(joined.isr()).containsExactly(3, 1);
        assertThat(joined.partitionEpoch()).isEqualTo(9);
        assertThat(joined.leaderEpoch()).isEqualTo(5);
        assertThat(left.isr()).containsExactly(1);
        assertThat(left.partitionEpoch()).isEqualTo(10);
    }

    @Test
    void aChangeThatWasMadeAlreadySucceedsAgainAndChangesNothing() {
        ClusterView view = view(state(List.of(1, 2), List.of(1, 2)));

        ControllerResult<PartitionId, PartitionState> again = alter(view, 1, change(7, Map.of(2, 2L, 1, 1L)));

        assertThat(again.records()).isEmpty();
        assertThat(again.outcomes().get(PARTITION).value().partitionEpoch()).isEqualTo(8);
    }

    @Test
    void aChangeOfAnOlderPartitionEpochIsRefused() {
        assertThat(error(view(state(List.of(1, 2), List.of(1))), change(7, Map.of(1, 1L, 2, 2L))))
                .isEqualTo(ErrorCode.INVALID_UPDATE_VERSION);
    }

    @Test
    void aLeaderOfAnOlderLeaderEpochIsFenced() {
        assertThat(error(view(state(List.of(1, 2), List.of(1))), new InSyncChange(4, 8, Map.of(1, 1L, 2, 2L), false)))
                .isEqualTo(ErrorCode.FENCED_LEADER_EPOCH);
    }

    @Test
    void aLeaderThatKnowsANewerStateMeetsNoControllerButAStaleOne() {
        ClusterView view = view(state(List.of(1, 2), List.of(1)));

        assertThat(error(view, new InSyncChange(6, 8, Map.of(1, 1L, 2, 2L), false)))
                .isEqualTo(ErrorCode.NOT_CONTROLLER);
        assertThat(error(view, new InSyncChange(5, 9, Map.of(1, 1L, 2, 2L), false)))
                .isEqualTo(ErrorCode.NOT_CONTROLLER);
    }

    @Test
    void onlyTheLeaderInItsBrokerEpochChangesTheInSyncReplicas() {
        ClusterView view = view(state(List.of(1, 2), List.of(1)));
        InSyncChange change = change(8, Map.of(1, 1L, 2, 2L));

        assertThat(InSync.alter(ClusterConfigs.of(view), 2, 2, Map.of(PARTITION, change))
                        .outcomes()
                        .get(PARTITION)
                        .error())
                .isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER);
        assertThat(alter(view, 7, change).outcomes().get(PARTITION).error()).isEqualTo(ErrorCode.STALE_BROKER_EPOCH);
        assertThat(alter(view.after(2, List.of(new MetadataRecord.BrokerGone(1, 1))), 1, change)
                        .outcomes()
                        .get(PARTITION)
                        .error())
                .isEqualTo(ErrorCode.STALE_BROKER_EPOCH);
    }

    /** Rule 21: the leader must not go on in the epoch of the records that it has lost. */
    @Test
    void aLeaderWhoseLogHasLostRecordsIsFollowedByAnotherReplicaInSync() {
        ClusterView view = view(state(List.of(1, 2, 3), List.of(1, 3)));

        PartitionState after = accepted(view, change(8, Map.of()));

        assertThat(after.leader()).isEqualTo(3);
        assertThat(after.isr()).containsExactly(3);
        assertThat(after.leaderEpoch()).isEqualTo(6);
        assertThat(error(view(after), change(8, Map.of()))).isEqualTo(ErrorCode.FENCED_LEADER_EPOCH);
    }

    @Test
    void aLeaderThatIsAloneInSyncAndHasLostRecordsGoesOnInTheNextEpoch() {
        ClusterView view = view(state(List.of(1, 2), List.of(1)));

        PartitionState after = accepted(view, change(8, Map.of()));

        assertThat(after.leader()).isEqualTo(1);
        assertThat(after.isr()).containsExactly(1);
        assertThat(after.leaderEpoch()).isEqualTo(6);
        assertThat(after.recovering()).isTrue();
    }

    @Test
    void aTopicThatWasMadeAgainIsAnotherOne() {
        PartitionId old = new PartitionId(new UUID(9, 9), 0);

        Outcome<PartitionState> outcome = InSync.alter(
                        ClusterConfigs.of(view(state(List.of(1, 2), List.of(1)))),
                        1,
                        1,
                        Map.of(old, change(8, Map.of(1, 1L))))
                .outcomes()
                .get(old);

        assertThat(outcome.error()).isEqualTo(ErrorCode.UNKNOWN_TOPIC_ID);
    }

    @Test
    void aReplicaOfAnEarlierBrokerEpochDoesNotJoin() {
        ClusterView view = view(state(List.of(1, 2), List.of(1)));

        assertThat(error(view, change(8, Map.of(1, 1L, 2, 1L)))).isEqualTo(ErrorCode.INELIGIBLE_REPLICA);
        assertThat(error(view, change(8, Map.of(1, 1L, 2, -1L)))).isEqualTo(ErrorCode.INELIGIBLE_REPLICA);
        assertThat(error(view.after(2, List.of(new MetadataRecord.BrokerGone(2, 2))), change(8, Map.of(1, 1L, 2, 2L))))
                .isEqualTo(ErrorCode.INELIGIBLE_REPLICA);
    }

    @Test
    void aReplicaInSyncStaysSoEvenIfTheLeaderDoesNotKnowItsBrokerEpoch() {
        ClusterView view = view(state(List.of(1, 2, 3), List.of(1, 2)));

        assertThat(accepted(view, change(8, Map.of(1, -1L, 2, -1L, 3, 3L))).isr())
                .containsExactly(1, 2, 3);
    }

    @Test
    void aBrokerThatIsAboutToStopDoesNotJoin() {
        ClusterView view =
                view(state(List.of(1, 2), List.of(1))).after(2, List.of(new MetadataRecord.BrokerLeaving(2, 2)));

        assertThat(error(view, change(8, Map.of(1, 1L, 2, 2L)))).isEqualTo(ErrorCode.INELIGIBLE_REPLICA);
    }

    @Test
    void theInSyncReplicasAreReplicasAndTheLeaderIsAmongThem() {
        ClusterView view = view(state(List.of(1, 2), List.of(1)));

        assertThat(error(view, change(8, Map.of(1, 1L, 3, 3L)))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(error(view, change(8, Map.of(2, 2L)))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void nobodyJoinsUntilALeaderOfAnUncleanElectionHasRepairedItsState() {
        PartitionState recovering = new PartitionState(List.of(1, 2), List.of(1), List.of(), List.of(), 1, 5, 8, true);
        ClusterView view = view(recovering);

        assertThat(error(view, new InSyncChange(5, 8, Map.of(1, 1L, 2, 2L), true)))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        PartitionState recovered = accepted(view, change(8, Map.of(1, 1L)));

        assertThat(recovered.recovering()).isFalse();
        assertThat(error(view(recovered), new InSyncChange(5, 9, Map.of(1, 1L), true)))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void whoLeavesStaysEligibleWhileFewerAreInSyncThanTheTopicAsksFor() {
        ClusterView view = view(state(List.of(1, 2, 3), List.of(1, 2, 3)), 2);

        PartitionState enough = accepted(view, change(8, Map.of(1, 1L, 2, 2L)));
        PartitionState tooFew = accepted(view(enough, 2), change(9, Map.of(1, 1L)));
        PartitionState again = accepted(view(tooFew, 2), change(10, Map.of(1, 1L, 3, 3L)));

        assertThat(enough.eligible()).isEmpty();
        assertThat(tooFew.eligible()).containsExactly(2);
        assertThat(again.eligible()).isEmpty();
    }

    @Test
    void aMoveIsDoneWhenAllOfTheNewReplicasAreInSyncAndNoOtherStaysInSync() {
        PartitionState moving =
                new PartitionState(List.of(3, 2, 1), List.of(1, 2), List.of(3), List.of(1), 1, 5, 8, false);

        PartitionState half = accepted(view(moving), change(8, Map.of(1, 1L, 3, 3L)));
        PartitionState done = accepted(view(half), change(9, Map.of(1, 1L, 2, 2L, 3, 3L)));

        assertThat(half.replicas()).containsExactly(3, 2, 1);
        assertThat(done.replicas()).containsExactly(3, 2);
        assertThat(done.isr()).containsExactly(3, 2);
        assertThat(done.leader()).isEqualTo(3);
        assertThat(done.leaderEpoch()).isEqualTo(6);
        assertThat(done.isBeingReassigned()).isFalse();
    }

    private static InSyncChange change(int partitionEpoch, Map<Integer, Long> isr) {
        return new InSyncChange(5, partitionEpoch, isr, false);
    }

    private static ControllerResult<PartitionId, PartitionState> alter(
            ClusterView view, long brokerEpoch, InSyncChange change) {
        return InSync.alter(ClusterConfigs.of(view), 1, brokerEpoch, Map.of(PARTITION, change));
    }

    private static ErrorCode error(ClusterView view, InSyncChange change) {
        ControllerResult<PartitionId, PartitionState> result = alter(view, 1, change);
        assertThat(result.records()).isEmpty();
        return result.outcomes().get(PARTITION).error();
    }

    /** The state that is in the log after the change, which must be the one in the answer. */
    private static PartitionState accepted(ClusterView view, InSyncChange change) {
        ControllerResult<PartitionId, PartitionState> result = alter(view, 1, change);
        Outcome<PartitionState> outcome = result.outcomes().get(PARTITION);
        assertThat(outcome.error()).as(outcome.message()).isEqualTo(ErrorCode.NONE);
        PartitionState after = view.after(2, result.records())
                .topic(TOPIC)
                .orElseThrow()
                .partitions()
                .get(0);
        assertThat(outcome.value()).isEqualTo(after);
        return after;
    }

    private static PartitionState state(List<Integer> replicas, List<Integer> isr) {
        return new PartitionState(replicas, isr, List.of(), List.of(), 1, 5, 8, false);
    }

    private static ClusterView view(PartitionState state) {
        return view(state, 1);
    }

    /** Three brokers; the epoch of each is its id. */
    private static ClusterView view(PartitionState state, int minInSync) {
        List<MetadataRecord> records = new ArrayList<>();
        for (int id = 1; id <= 3; id++) {
            records.add(new MetadataRecord.BrokerRegistered(broker(id), id));
        }
        records.add(new MetadataRecord.TopicCreated(TOPIC, "t"));
        records.add(new MetadataRecord.PartitionChanged(TOPIC, 0, state));
        records.add(new MetadataRecord.ConfigSet(
                ConfigResource.topic("t"), TopicConfig.MIN_INSYNC_REPLICAS, Integer.toString(minInSync)));
        return ClusterView.EMPTY.after(1, records);
    }
}
