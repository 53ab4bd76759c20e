package io.felice.coordinator;

import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.T0;
import static io.felice.coordinator.Stage.T1;
import static io.felice.coordinator.Stage.join;
import static io.felice.coordinator.Stage.now;
import static io.felice.coordinator.Stage.offset;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.CommittedOffset;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.OffsetToCommit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Who may commit offsets, and that committed offsets are kept. */
class CommittedOffsetsTest {
    private final Stage stage = new Stage();

    @Test
    void aCommittedOffsetIsFetchedWithAllThatWasSaid() {
        now(stage.groups.commit(GROUP, -1, "", null, Map.of(T0, new OffsetToCommit(42, 7, "note", -1))));

        FetchedOffsets fetched = now(stage.groups.fetchOffsets(GROUP, Optional.of(List.of(T0, T1)), false));

        assertThat(fetched.error()).isEqualTo(ErrorCode.NONE);
        assertThat(fetched.offsets())
                .containsEntry(T0, new CommittedOffset(42, 7, "note", ErrorCode.NONE))
                .containsEntry(T1, new CommittedOffset(-1, -1, "", ErrorCode.NONE));
    }

    @Test
    void allOffsetsOfAGroupAreFetchedAtOnce() {
        stage.commitsSimply(T0, 1);
        stage.commitsSimply(T1, 2);

        FetchedOffsets fetched = now(stage.groups.fetchOffsets(GROUP, Optional.empty(), true));

        assertThat(fetched.offsets()).containsOnlyKeys(T0, T1);
    }

    @Test
    void aGroupThatNobodyKnowsHasNoOffsets() {
        FetchedOffsets all = now(stage.groups.fetchOffsets("nobody", Optional.empty(), false));
        FetchedOffsets one = now(stage.groups.fetchOffsets("nobody", Optional.of(List.of(T0)), false));

        assertThat(all.offsets()).isEmpty();
        assertThat(one.offsets().get(T0).offset()).isEqualTo(-1);
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void aCommitIsAnsweredAndSeenOnlyOnceItIsCommittedToTheLog() {
        stage.commitsSimply(T0, 1);
        stage.offsetsLog().hold();

        CompletableFuture<Map<TopicPartition, ErrorCode>> commit = stage.commits(-1, "", T0, 2);

        assertThat(commit).isNotDone();
        assertThat(stage.committed(T0)).isEqualTo(1);
        stage.offsetsLog().release();
        assertThat(now(commit)).containsEntry(T0, ErrorCode.NONE);
        assertThat(stage.committed(T0)).isEqualTo(2);
    }

    @Test
    void commitsTakeEffectInTheOrderOfTheLog() {
        stage.offsetsLog().hold();
        stage.commits(-1, "", T0, 1);
        stage.commits(-1, "", T0, 2);
        stage.commits(-1, "", T0, 3);

        stage.offsetsLog().release();

        assertThat(stage.committed(T0)).isEqualTo(3);
        stage.restart();
        assertThat(stage.committed(T0)).isEqualTo(3);
    }

    @Test
    void aWriteOfAnOldLeaderEpochIsNeverAnsweredAsDone() {
        stage.commitsSimply(T0, 1);
        FakePartition old = stage.offsetsLog();
        old.hold();
        CompletableFuture<Map<TopicPartition, ErrorCode>> commit = stage.commits(-1, "", T0, 2);

        stage.broker.resign(0);
        old.release();

        assertThat(now(commit)).containsEntry(T0, ErrorCode.NOT_COORDINATOR);
    }

    @Test
    void aWriteOfAnOldLeaderEpochIsNotAnsweredAsDoneByTheNextEpochEither() {
        FakePartition old = stage.offsetsLog();
        old.hold();
        CompletableFuture<Map<TopicPartition, ErrorCode>> commit = stage.commits(-1, "", T0, 2);

        stage.broker.lead(0);
        old.release();
        stage.time.settle();

        assertThat(now(commit)).containsEntry(T0, ErrorCode.NOT_COORDINATOR);
    }

    @Test
    void failedWritesGetErrorsThatAConsumerRetries() {
        Map<ErrorCode, ErrorCode> expected = Map.of(
                ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE,
                ErrorCode.REQUEST_TIMED_OUT, ErrorCode.COORDINATOR_NOT_AVAILABLE,
                ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR,
                ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR,
                ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.INVALID_COMMIT_OFFSET_SIZE);

        expected.forEach((cause, answer) -> {
            stage.offsetsLog().refuse(cause);
            assertThat(stage.commitsSimply(T0, 1)).as("after %s", cause).isEqualTo(answer);
        });
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void aCommitThatTimedOutIsNotSeenUntilSomebodyCommitsAgain() {
        stage.commitsSimply(T0, 1);
        stage.offsetsLog().hold();
        CompletableFuture<Map<TopicPartition, ErrorCode>> commit = stage.commits(-1, "", T0, 2);
        stage.offsetsLog().failHeld(ErrorCode.REQUEST_TIMED_OUT);

        assertThat(now(commit)).containsEntry(T0, ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.committed(T0)).isEqualTo(1);
        stage.commitsSimply(T0, 2);
        assertThat(stage.committed(T0)).isEqualTo(2);
    }

    @Test
    void topicsThatDoNotExistDoNotStopTheOthers() {
        TopicPartition ghost = new TopicPartition("ghost", 0);
        TopicPartition beyond = new TopicPartition("t", 99);

        var outcomes = now(
                stage.groups.commit(GROUP, -1, "", null, Map.of(T0, offset(1), ghost, offset(1), beyond, offset(1))));

        assertThat(outcomes)
                .containsEntry(T0, ErrorCode.NONE)
                .containsEntry(ghost, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
                .containsEntry(beyond, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void aNoteThatIsTooLongIsRefused() {
        stage.broker.set(BrokerConfig.OFFSET_METADATA_MAX_BYTES, 4);

        var outcomes = now(stage.groups.commit(
                GROUP,
                -1,
                "",
                null,
                Map.of(T0, new OffsetToCommit(1, -1, "short", -1), T1, new OffsetToCommit(1, -1, "shor", -1))));

        assertThat(outcomes)
                .containsEntry(T0, ErrorCode.OFFSET_METADATA_TOO_LARGE)
                .containsEntry(T1, ErrorCode.NONE);
    }

    @Test
    void aCommitThatIsTooLargeForTheTopicIsRefused() {
        stage.broker.createTopic("wide", 3000);
        stage.broker.setOnOffsetsTopic("max.message.bytes", 70_000);
        Map<TopicPartition, OffsetToCommit> many = new HashMap<>();
        for (int i = 0; i < 3000; i++) {
            many.put(new TopicPartition("wide", i), offset(i));
        }

        var outcomes = now(stage.groups.commit(GROUP, -1, "", null, many));

        assertThat(outcomes.values()).containsOnly(ErrorCode.INVALID_COMMIT_OFFSET_SIZE);
    }

    @Test
    void onlyMembersOfThisGenerationCommitForAGroupThatHasMembers() {
        Joined member = stage.stableGroup(1).get(0);
        String id = member.memberId();

        assertThat(now(stage.commits(member, T0, 5))).containsEntry(T0, ErrorCode.NONE);
        assertThat(stage.commitsSimply(T0, 6)).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(now(stage.commits(1, "stranger", T0, 6))).containsEntry(T0, ErrorCode.UNKNOWN_MEMBER_ID);
        assertThat(now(stage.commits(0, id, T0, 6))).containsEntry(T0, ErrorCode.ILLEGAL_GENERATION);
        assertThat(stage.committed(T0)).isEqualTo(5);
    }

    @Test
    void membersMayCommitWhileARebalanceGathersAndNotWhileItCompletes() {
        List<Joined> members = stage.stableGroup(1);
        Joined member = members.get(0);
        CompletableFuture<Joined> second = stage.joinsAnew();
        assertThat(now(stage.commits(member, T0, 5))).containsEntry(T0, ErrorCode.NONE);
        Joined again = now(stage.joins(join(member.memberId())));

        assertThat(now(stage.commits(again, T0, 6))).containsEntry(T0, ErrorCode.REBALANCE_IN_PROGRESS);
        assertThat(now(second).generationId()).isEqualTo(2);
    }

    @Test
    void aCommitIsASignOfLife() {
        Joined member = stage.stableGroup(1).get(0);
        for (int i = 0; i < 5; i++) {
            stage.time.advance(Stage.SESSION.minusMillis(1));
            assertThat(now(stage.commits(member, T0, i))).containsEntry(T0, ErrorCode.NONE);
        }
    }

    @Test
    void aGenerationOfAGroupThatNobodyKnowsIsRefused() {
        assertThat(now(stage.commits(3, "m", T0, 1))).containsEntry(T0, ErrorCode.GROUP_ID_NOT_FOUND);
    }

    @Test
    void anEmptyGroupTakesCommitsFromAnybody() {
        Joined member = stage.stableGroup(1).get(0);
        stage.leaves(member.memberId());

        assertThat(stage.commitsSimply(T0, 9)).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void simpleConsumersMayUseTheEmptyGroupId() {
        assertThat(now(stage.groups.commit("", -1, "", null, Map.of(T0, offset(3)))))
                .containsEntry(T0, ErrorCode.NONE);
    }

    @Test
    void offsetsSurviveAReload() {
        Joined member = stage.stableGroup(1).get(0);
        stage.commits(member, T0, 5);
        stage.commits(member, T1, 6);
        stage.commits(member, T0, 7);

        stage.restart();

        assertThat(stage.committed(T0)).isEqualTo(7);
        assertThat(stage.committed(T1)).isEqualTo(6);
        assertThat(now(stage.commits(member, T0, 8))).containsEntry(T0, ErrorCode.NONE);
    }

    @Test
    void aGroupIdThatDoesNotFitIntoARecordIsRefused() {
        String endless = "g".repeat(40_000);

        assertThat(now(stage.groups.commit(endless, -1, "", null, Map.of(T0, offset(1)))))
                .containsEntry(T0, ErrorCode.INVALID_GROUP_ID);
    }
}
