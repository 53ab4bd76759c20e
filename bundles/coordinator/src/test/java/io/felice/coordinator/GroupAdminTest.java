package io.felice.coordinator;

import static io.felice.coordinator.Stage.GROUP;
import static io.felice.coordinator.Stage.T0;
import static io.felice.coordinator.Stage.T1;
import static io.felice.coordinator.Stage.join;
import static io.felice.coordinator.Stage.now;
import static io.felice.coordinator.Stage.protocol;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups.DeletedOffsets;
import io.felice.api.group.Groups.Description;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Listing;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.State;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Groups are listed, described and deleted. */
class GroupAdminTest {
    private final Stage stage = new Stage();

    /** The subscription of a consumer: version 0, topics, no user data. */
    private static Protocol subscribedTo(String topic) {
        return new Protocol(
                "range",
                ("\0\0\0\0\0\1\0" + (char) topic.length() + topic + "\377\377\377\377")
                        .getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void aStableGroupIsDescribedWithMetadataAndAssignments() {
        Joined member = stage.stableGroup(1).get(0);

        Description description = now(stage.groups.describe(GROUP));

        assertThat(description.state()).isEqualTo(State.STABLE);
        assertThat(description.protocolType()).isEqualTo("consumer");
        assertThat(description.protocol()).isEqualTo("range");
        assertThat(description.members()).singleElement().satisfies(one -> {
            assertThat(one.memberId()).isEqualTo(member.memberId());
            assertThat(one.clientId()).isEqualTo("client");
            assertThat(one.clientHost()).isEqualTo("/host");
            assertThat(one.metadata()).asString().isEqualTo("m");
            assertThat(one.assignment()).asString().isEqualTo("for " + member.memberId());
        });
    }

    @Test
    void aGroupThatRebalancesIsDescribedWithoutThem() {
        stage.stableGroup(1);
        stage.joinsAnew();

        Description description = now(stage.groups.describe(GROUP));

        assertThat(description.state()).isEqualTo(State.PREPARING_REBALANCE);
        assertThat(description.protocol()).isEmpty();
        assertThat(description.members()).hasSize(2).allSatisfy(m -> assertThat(m.assignment())
                .isEmpty());
    }

    @Test
    void aGroupThatNobodyKnowsIsDead() {
        Description description = now(stage.groups.describe("nobody"));

        assertThat(description.error()).isEqualTo(ErrorCode.NONE);
        assertThat(description.state()).isEqualTo(State.DEAD);
    }

    @Test
    void groupsOfMembersAndOfSimpleConsumersAreListed() {
        stage.stableGroup(1);
        now(stage.groups.commit("simple", -1, "", null, Map.of(T0, Stage.offset(1))));

        assertThat(now(stage.groups.list()))
                .containsExactlyInAnyOrder(
                        new Listing(GROUP, "consumer", State.STABLE), new Listing("simple", "", State.EMPTY));
    }

    @Test
    void aGroupWithMembersIsNotDeleted() {
        stage.stableGroup(1);

        assertThat(now(stage.groups.delete(GROUP))).isEqualTo(ErrorCode.NON_EMPTY_GROUP);
    }

    @Test
    void aDeletedGroupIsGoneForGood() {
        Joined member = stage.stableGroup(1).get(0);
        stage.commits(member, T0, 5);
        stage.leaves(member.memberId());

        assertThat(now(stage.groups.delete(GROUP))).isEqualTo(ErrorCode.NONE);

        assertThat(now(stage.groups.list())).isEmpty();
        stage.restart();
        assertThat(now(stage.groups.list())).isEmpty();
        assertThat(stage.committed(T0)).isEqualTo(-1);
        assertThat(now(stage.groups.delete(GROUP))).isEqualTo(ErrorCode.GROUP_ID_NOT_FOUND);
    }

    @Test
    void whileAGroupIsBeingDeletedNobodyGetsIn() {
        stage.commitsSimply(T0, 5);
        stage.offsetsLog().hold();
        CompletableFuture<ErrorCode> deleted = stage.groups.delete(GROUP).toCompletableFuture();

        assertThat(Stage.errorOf(stage.joins(join("")))).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(stage.commitsSimply(T0, 6)).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);

        stage.offsetsLog().release();
        assertThat(now(deleted)).isEqualTo(ErrorCode.NONE);
        assertThat(stage.commitsSimply(T0, 7)).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aCommitUnderWayGoesWithItsGroup() {
        stage.commitsSimply(T0, 5);
        stage.offsetsLog().hold();
        stage.commits(-1, "", T1, 6);
        stage.groups.delete(GROUP);

        stage.offsetsLog().release();

        assertThat(now(stage.groups.list())).isEmpty();
        stage.restart();
        assertThat(now(stage.groups.list())).isEmpty();
    }

    /** Adds one member to an empty group and completes its rebalance. */
    private Joined joinsAnew() {
        CompletableFuture<Joined> join = stage.joinsAnew();
        stage.time.settle();
        return now(join);
    }

    @Test
    void aGenerationUnderWayGoesWithItsGroup() {
        stage.commitsSimply(T0, 5);
        stage.offsetsLog().hold();
        stage.leaves(joinsAnew().memberId());
        stage.groups.delete(GROUP);

        stage.offsetsLog().release();

        assertThat(now(stage.groups.list())).isEmpty();
        stage.restart();
        assertThat(now(stage.groups.list())).isEmpty();
    }

    @Test
    void aGroupThatEmptiesBeforeItsFirstGenerationIsStoredStaysWhatItWas() {
        stage.offsetsLog().hold();
        stage.leaves(joinsAnew().memberId());

        stage.offsetsLog().release();

        assertThat(now(stage.groups.list())).containsExactly(new Listing(GROUP, "consumer", State.EMPTY));
        assertThat(joinsAnew().generationId()).isEqualTo(3);
    }

    @Test
    void aCommitAfterADeletionOfManyOffsetsStays() {
        int partitions = 2 * GroupLimits.TOMBSTONES_PER_BATCH + 500;
        stage.broker.createTopic("wide", partitions);
        Map<TopicPartition, OffsetToCommit> all = new HashMap<>();
        for (int i = 0; i < partitions; i++) {
            all.put(new TopicPartition("wide", i), Stage.offset(1));
        }
        now(stage.groups.commit(GROUP, -1, "", null, all));
        stage.offsetsLog().hold();
        CompletableFuture<DeletedOffsets> deleted =
                stage.groups.deleteOffsets(GROUP, all.keySet()).toCompletableFuture();
        all.replaceAll((partition, offset) -> Stage.offset(2));
        stage.groups.commit(GROUP, -1, "", null, all);

        stage.offsetsLog().release();

        assertThat(now(deleted).partitions()).hasSize(partitions).allSatisfy((partition, error) -> assertThat(error)
                .isEqualTo(ErrorCode.NONE));
        assertThat(all.keySet())
                .allSatisfy(partition -> assertThat(stage.committed(partition)).isEqualTo(2));
        stage.restart();
        assertThat(all.keySet())
                .allSatisfy(partition -> assertThat(stage.committed(partition)).isEqualTo(2));
    }

    @Test
    void aDeletionThatCannotBeWrittenLeavesTheGroup() {
        stage.commitsSimply(T0, 5);
        stage.offsetsLog().refuse(ErrorCode.NOT_ENOUGH_REPLICAS);

        assertThat(now(stage.groups.delete(GROUP))).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);

        stage.offsetsLog().refuse(null);
        assertThat(stage.committed(T0)).isEqualTo(5);
        assertThat(stage.commitsSimply(T0, 6)).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void offsetsOfAnEmptyGroupAreDeletedOneByOne() {
        stage.commitsSimply(T0, 5);
        stage.commitsSimply(T1, 6);

        DeletedOffsets deleted = now(stage.groups.deleteOffsets(GROUP, Set.of(T0)));

        assertThat(deleted.error()).isEqualTo(ErrorCode.NONE);
        assertThat(deleted.partitions()).containsEntry(T0, ErrorCode.NONE);
        stage.restart();
        assertThat(stage.committed(T0)).isEqualTo(-1);
        assertThat(stage.committed(T1)).isEqualTo(6);
    }

    @Test
    void offsetsOfSubscribedTopicsStay() {
        stage.broker.createTopic("old", 1);
        TopicPartition old = new TopicPartition("old", 0);
        stage.commitsSimply(old, 1);
        stage.commitsSimply(T0, 1);
        stage.stableGroup(2, List.of(subscribedTo("t")));

        DeletedOffsets deleted = now(stage.groups.deleteOffsets(GROUP, Set.of(T0, old)));

        assertThat(deleted.partitions())
                .containsEntry(T0, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
                .containsEntry(old, ErrorCode.NONE);
    }

    @Test
    void aSubscriptionThatCannotBeReadMightBeToAnything() {
        stage.commitsSimply(T0, 1);
        stage.stableGroup(1, List.of(protocol("range", "\0\0\377\377")));

        assertThat(now(stage.groups.deleteOffsets(GROUP, Set.of(T0))).partitions())
                .containsEntry(T0, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC);
    }

    @Test
    void groupsThatNobodyKnowsHaveNoOffsetsToDelete() {
        assertThat(now(stage.groups.deleteOffsets("nobody", Set.of(T0))).error())
                .isEqualTo(ErrorCode.GROUP_ID_NOT_FOUND);
    }
}
