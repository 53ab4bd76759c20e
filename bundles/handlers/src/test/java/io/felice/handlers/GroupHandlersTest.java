package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartition;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The APIs of groups and of committed offsets. */
class GroupHandlersTest {
    private static final long NOW_MS = 1_000_000;

    private final FakeCluster cluster = new FakeCluster();
    private final FakeGroups groups = new FakeGroups();
    private final JoinGroupHandler join = new JoinGroupHandler(groups, FakeAuthorization.open());
    private final SyncGroupHandler sync = new SyncGroupHandler(groups, FakeAuthorization.open());
    private final LeaveGroupHandler leave = new LeaveGroupHandler(groups, FakeAuthorization.open());
    private final DescribeGroupsHandler describe = new DescribeGroupsHandler(groups, FakeAuthorization.open());
    private final OffsetCommitHandler commit = new OffsetCommitHandler(
            groups, cluster, FakeAuthorization.open(), Clock.fixed(Instant.ofEpochMilli(NOW_MS), ZoneOffset.UTC));
    private final OffsetFetchHandler fetch = new OffsetFetchHandler(groups, cluster, FakeAuthorization.open());

    @BeforeEach
    void topic() {
        cluster.topic("t", 2);
    }

    @Test
    void aMemberJoinsAsTheVersionOfItsRequestAllows() throws Exception {
        JoinGroupRequestData request = joining();

        Asking.ask(join, request, 0);
        Asking.ask(join, request, 9);

        Groups.Join old = (Groups.Join) groups.asked.get(0);
        Groups.Join young = (Groups.Join) groups.asked.get(1);
        assertThat(old.rebalanceTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(old.needsMemberId()).isFalse();
        assertThat(old.canSkipAssignment()).isFalse();
        assertThat(young.rebalanceTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(young.needsMemberId()).isTrue();
        assertThat(young.canSkipAssignment()).isTrue();
        assertThat(young.clientId()).isEqualTo("client");
        assertThat(young.clientHost()).isEqualTo("/127.0.0.1");
        assertThat(young.protocols()).extracting(Groups.Protocol::name).containsExactly("range");
    }

    @Test
    void theLeaderIsToldOfAllMembers() throws Exception {
        JoinGroupResponseData response = Asking.ask(join, joining(), 9);

        assertThat(response.errorCode()).isZero();
        assertThat(response.generationId()).isEqualTo(3);
        assertThat(response.leader()).isEqualTo(response.memberId());
        assertThat(response.skipAssignment()).isTrue();
        assertThat(response.members().get(0).metadata()).containsExactly(1);
        assertThat(Asking.ask(join, joining(), 8).skipAssignment()).isFalse();
    }

    @Test
    void whoMayNotJoinKeepsItsMemberId() throws Exception {
        groups.fail(ErrorCode.MEMBER_ID_REQUIRED);

        JoinGroupResponseData old = Asking.ask(join, joining().setMemberId("mine"), 6);
        JoinGroupResponseData young = Asking.ask(join, joining().setMemberId("mine"), 7);

        assertThat(ErrorCode.of(old.errorCode())).isEqualTo(ErrorCode.MEMBER_ID_REQUIRED);
        assertThat(old.memberId()).isEqualTo("mine");
        assertThat(old.protocolName()).isEmpty();
        assertThat(young.protocolName()).isNull();
    }

    @Test
    void aGroupWithoutANameHasNoMembers() throws Exception {
        HeartbeatHandler heartbeat = new HeartbeatHandler(groups, FakeAuthorization.open());

        assertThat(ErrorCode.of(Asking.ask(join, joining().setGroupId(""), 9).errorCode()))
                .isEqualTo(ErrorCode.INVALID_GROUP_ID);
        assertThat(ErrorCode.of(Asking.ask(sync, syncing().setGroupId(""), 5).errorCode()))
                .isEqualTo(ErrorCode.INVALID_GROUP_ID);
        assertThat(ErrorCode.of(Asking.ask(heartbeat, new HeartbeatRequestData().setGroupId(""), 4)
                        .errorCode()))
                .isEqualTo(ErrorCode.INVALID_GROUP_ID);
        assertThat(ErrorCode.of(Asking.ask(leave, new LeaveGroupRequestData().setGroupId(""), 5)
                        .errorCode()))
                .isEqualTo(ErrorCode.INVALID_GROUP_ID);
        assertThat(groups.asked).isEmpty();
    }

    @Test
    void assignmentsPassThroughUntouched() throws Exception {
        SyncGroupResponseData response = Asking.ask(sync, syncing(), 5);

        Groups.Sync asked = (Groups.Sync) groups.asked.get(0);
        assertThat(asked.assignments().get("m")).containsExactly(9);
        assertThat(response.assignment()).containsExactly(2);
        assertThat(response.protocolName()).isEqualTo("range");
    }

    @Test
    void fromVersionFiveOnASyncNamesItsProtocol() throws Exception {
        SyncGroupRequestData request = syncing().setProtocolName(null);

        assertThat(ErrorCode.of(Asking.ask(sync, request, 5).errorCode()))
                .isEqualTo(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(Asking.ask(sync, request, 4).errorCode()).isZero();
    }

    @Test
    void membersLeaveAloneOrTogether() throws Exception {
        LeaveGroupRequestData alone =
                new LeaveGroupRequestData().setGroupId("g").setMemberId("unknown");
        LeaveGroupRequestData together = new LeaveGroupRequestData()
                .setGroupId("g")
                .setMembers(List.of(
                        new LeaveGroupRequestData.MemberIdentity().setMemberId("m"),
                        new LeaveGroupRequestData.MemberIdentity()
                                .setMemberId("")
                                .setGroupInstanceId("static")));

        assertThat(ErrorCode.of(Asking.ask(leave, alone, 2).errorCode())).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID);
        LeaveGroupResponseData response = Asking.ask(leave, together, 5);

        assertThat(response.errorCode()).isZero();
        assertThat(response.members())
                .extracting(member -> member.groupInstanceId(), member -> ErrorCode.of(member.errorCode()))
                .containsExactly(tuple(null, ErrorCode.NONE), tuple("static", ErrorCode.UNKNOWN_MEMBER_ID));
    }

    @Test
    void groupsAreDescribedEachForItself() throws Exception {
        DescribeGroupsRequestData request = new DescribeGroupsRequestData()
                .setGroups(List.of("g", "nobody"))
                .setIncludeAuthorizedOperations(true);

        DescribeGroupsResponseData response = Asking.ask(describe, request, 5);

        DescribedGroup known = response.groups().get(0);
        assertThat(known.groupState()).isEqualTo("Stable");
        assertThat(known.protocolData()).isEqualTo("range");
        assertThat(known.members().get(0).memberAssignment()).containsExactly(2);
        assertThat(known.authorizedOperations()).isEqualTo(0b1101_0100_1000);
        assertThat(response.groups().get(1).groupState()).isEqualTo("Dead");
        assertThat(response.groups().get(1).errorCode()).isZero();
    }

    @Test
    void groupsAreListedByStateAndType() throws Exception {
        ListGroupsHandler list = new ListGroupsHandler(groups, FakeAuthorization.open());

        assertThat(Asking.ask(list, new ListGroupsRequestData(), 5).groups())
                .extracting(ListedGroup::groupId, ListedGroup::groupState, ListedGroup::groupType)
                .containsExactly(tuple("g", "Stable", "classic"), tuple("connect", "Empty", "classic"));
        assertThat(Asking.ask(list, new ListGroupsRequestData().setStatesFilter(List.of("eMPTY")), 5)
                        .groups())
                .extracting(ListedGroup::groupId)
                .containsExactly("connect");
        assertThat(Asking.ask(list, new ListGroupsRequestData().setTypesFilter(List.of("consumer")), 5)
                        .groups())
                .isEmpty();
        groups.fail(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
        ListGroupsResponseData failed = Asking.ask(list, new ListGroupsRequestData(), 5);
        assertThat(ErrorCode.of(failed.errorCode())).isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    }

    @Test
    void groupsAreDeletedEachForItself() throws Exception {
        DeleteGroupsHandler delete = new DeleteGroupsHandler(groups, FakeAuthorization.open());
        DeleteGroupsRequestData request = new DeleteGroupsRequestData().setGroupsNames(List.of("g", "other", "g"));

        assertThat(Asking.ask(delete, request, 2).results())
                .extracting(DeletableGroupResult::groupId, result -> ErrorCode.of(result.errorCode()))
                .containsExactly(tuple("g", ErrorCode.NON_EMPTY_GROUP), tuple("other", ErrorCode.NONE));
    }

    @Test
    void offsetsOfPartitionsThatExistAreCommitted() throws Exception {
        OffsetCommitRequestData request = committing(0, 9);

        OffsetCommitResponseData response = Asking.ask(commit, request, 9);

        assertThat(response.topics().get(0).partitions())
                .extracting(partition -> ErrorCode.of(partition.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(groups.asked)
                .containsExactly(Map.of(new TopicPartition("t", 0), new Groups.OffsetToCommit(5, 4, "", -1)));
    }

    @Test
    void aGenerationOfAGroupThatNobodyKnowsIsRefusedAsTheVersionHasIt() throws Exception {
        groups.fail(ErrorCode.GROUP_ID_NOT_FOUND);

        assertThat(firstError(Asking.ask(commit, committing(0), 8))).isEqualTo(ErrorCode.ILLEGAL_GENERATION);
        assertThat(firstError(Asking.ask(commit, committing(0), 9))).isEqualTo(ErrorCode.GROUP_ID_NOT_FOUND);
    }

    private static ErrorCode firstError(OffsetCommitResponseData response) {
        return ErrorCode.of(response.topics().get(0).partitions().get(0).errorCode());
    }

    @Test
    void oldClientsSetTheirOwnRetention() throws Exception {
        Asking.ask(commit, committing(0).setRetentionTimeMs(500), 2);

        assertThat(groups.asked)
                .containsExactly(Map.of(new TopicPartition("t", 0), new Groups.OffsetToCommit(5, 4, "", NOW_MS + 500)));
    }

    @Test
    void fromVersionTenOnOffsetsAreCommittedByTopicIds() throws Exception {
        OffsetCommitRequestData known = committing(0, 9);
        known.topics().get(0).setName("").setTopicId(topicId());
        OffsetCommitRequestData unknown = committing(0);
        unknown.topics().get(0).setName("").setTopicId(new Uuid(9, 9));

        OffsetCommitResponseData response = Asking.ask(commit, known, 10);

        assertThat(response.topics().get(0).topicId()).isEqualTo(topicId());
        assertThat(response.topics().get(0).partitions())
                .extracting(partition -> ErrorCode.of(partition.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(groups.asked)
                .containsExactly(Map.of(new TopicPartition("t", 0), new Groups.OffsetToCommit(5, 4, "", -1)));
        assertThat(firstError(Asking.ask(commit, unknown, 10))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_ID);
    }

    @Test
    void fromVersionTenOnOffsetsAreFetchedByTopicIds() throws Exception {
        OffsetFetchRequestData request = new OffsetFetchRequestData()
                .setGroups(List.of(
                        new OffsetFetchRequestGroup().setGroupId("g").setTopics(null),
                        new OffsetFetchRequestGroup()
                                .setGroupId("g")
                                .setTopics(List.of(
                                        new OffsetFetchRequestTopics()
                                                .setTopicId(topicId())
                                                .setPartitionIndexes(List.of(0)),
                                        new OffsetFetchRequestTopics()
                                                .setTopicId(new Uuid(9, 9))
                                                .setPartitionIndexes(List.of(3))))));

        OffsetFetchResponseData response = Asking.ask(fetch, request, 10);

        assertThat(groups.asked).containsExactly(Optional.empty(), Optional.of(List.of(new TopicPartition("t", 0))));
        assertThat(response.groups().get(0).topics())
                .extracting(OffsetFetchResponseTopics::topicId)
                .containsExactly(topicId());
        assertThat(response.groups().get(1).topics())
                .extracting(
                        OffsetFetchResponseTopics::topicId,
                        topic -> ErrorCode.of(topic.partitions().get(0).errorCode()))
                .containsExactly(tuple(topicId(), ErrorCode.NONE), tuple(new Uuid(9, 9), ErrorCode.UNKNOWN_TOPIC_ID));
    }

    private Uuid topicId() {
        return TopicIds.of(cluster.view().topic("t").orElseThrow().topicId());
    }

    @Test
    void offsetsOfTopicsThatAreGoneHaveNoIdToBeToldUnder() throws Exception {
        cluster.delete(TopicIds.of(topicId()));
        OffsetFetchRequestData all = new OffsetFetchRequestData()
                .setGroups(List.of(new OffsetFetchRequestGroup().setGroupId("g").setTopics(null)));

        assertThat(Asking.ask(fetch, all, 10).groups().get(0).topics()).isEmpty();
        assertThat(Asking.ask(fetch, all, 9).groups().get(0).topics()).hasSize(1);
    }

    @Test
    void fromVersionSixOnAGroupThatNobodyKnowsIsAnError() throws Exception {
        DescribeGroupsHandler describe = new DescribeGroupsHandler(groups, FakeAuthorization.open());
        DescribeGroupsRequestData request =
                new DescribeGroupsRequestData().setGroups(List.of("other")).setIncludeAuthorizedOperations(true);

        DescribedGroup before = Asking.ask(describe, request, 5).groups().get(0);
        DescribedGroup since = Asking.ask(describe, request, 6).groups().get(0);

        assertThat(before.errorCode()).isZero();
        assertThat(before.groupState()).isEqualTo("Dead");
        assertThat(ErrorCode.of(since.errorCode())).isEqualTo(ErrorCode.GROUP_ID_NOT_FOUND);
        assertThat(since.errorMessage()).isEqualTo("Group other not found.");
        assertThat(since.groupState()).isEqualTo("Dead");
        assertThat(since.authorizedOperations()).isEqualTo(Integer.MIN_VALUE);
    }

    @Test
    void aCommitOfNothingKnownDoesNotReachTheGroup() throws Exception {
        Asking.ask(commit, committing(9), 9);

        assertThat(groups.asked).isEmpty();
    }

    @Test
    void committedOffsetsAreToldForWhatWasAskedAndMinusOneForWhatHasNone() throws Exception {
        OffsetFetchRequestData request = new OffsetFetchRequestData()
                .setGroupId("g")
                .setTopics(List.of(new OffsetFetchRequestTopic().setName("t").setPartitionIndexes(List.of(1, 0))));

        OffsetFetchResponseData response = Asking.ask(fetch, request, 7);

        assertThat(response.topics().get(0).partitions())
                .extracting(
                        OffsetFetchResponsePartition::partitionIndex,
                        OffsetFetchResponsePartition::committedOffset,
                        OffsetFetchResponsePartition::metadata)
                .containsExactly(tuple(1, -1L, ""), tuple(0, 5L, "note"));
    }

    @Test
    void withoutAListOfTopicsAllOffsetsAreTold() throws Exception {
        OffsetFetchRequestData request = new OffsetFetchRequestData()
                .setGroups(List.of(
                        new OffsetFetchRequestGroup().setGroupId("g").setTopics(null),
                        new OffsetFetchRequestGroup()
                                .setGroupId("h")
                                .setTopics(List.of(new OffsetFetchRequestTopics()
                                        .setName("t")
                                        .setPartitionIndexes(List.of(1))))));

        OffsetFetchResponseData response = Asking.ask(fetch, request, 9);

        assertThat(groups.asked).containsExactly(Optional.empty(), Optional.of(List.of(new TopicPartition("t", 1))));
        assertThat(response.groups().get(0).topics().get(0).partitions().get(0).committedOffset())
                .isEqualTo(5);
        assertThat(response.groups().get(1).topics().get(0).partitions().get(0).committedOffset())
                .isEqualTo(-1);
    }

    @Test
    void aGroupsErrorStandsWhereTheVersionHasAPlaceForIt() throws Exception {
        groups.fail(ErrorCode.NOT_COORDINATOR);
        OffsetFetchRequestData single = new OffsetFetchRequestData()
                .setGroupId("g")
                .setTopics(List.of(new OffsetFetchRequestTopic().setName("t").setPartitionIndexes(List.of(0))));
        OffsetFetchRequestData many = new OffsetFetchRequestData()
                .setGroups(List.of(new OffsetFetchRequestGroup().setGroupId("g").setTopics(null)));

        OffsetFetchResponseData first = Asking.ask(fetch, single, 1);
        OffsetFetchResponseData second = Asking.ask(fetch, single, 2);
        OffsetFetchResponseData eighth = Asking.ask(fetch, many, 8);

        assertThat(ErrorCode.of(first.topics().get(0).partitions().get(0).errorCode()))
                .isEqualTo(ErrorCode.NOT_COORDINATOR);
        assertThat(ErrorCode.of(second.errorCode())).isEqualTo(ErrorCode.NOT_COORDINATOR);
        assertThat(second.topics()).isEmpty();
        assertThat(ErrorCode.of(eighth.groups().get(0).errorCode())).isEqualTo(ErrorCode.NOT_COORDINATOR);
    }

    @Test
    void offsetsAreDeletedWhereThePartitionExists() throws Exception {
        OffsetDeleteHandler delete = new OffsetDeleteHandler(groups, cluster, FakeAuthorization.open());
        OffsetDeleteRequestData request = new OffsetDeleteRequestData().setGroupId("g");
        request.topics()
                .add(new OffsetDeleteRequestData.OffsetDeleteRequestTopic()
                        .setName("t")
                        .setPartitions(List.of(
                                new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(0),
                                new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(9))));

        OffsetDeleteResponseData response = Asking.ask(delete, request, 0);
        groups.fail(ErrorCode.NON_EMPTY_GROUP);
        OffsetDeleteResponseData refused = Asking.ask(delete, request, 0);

        assertThat(response.topics().find("t").partitions())
                .extracting(partition -> ErrorCode.of(partition.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(ErrorCode.of(refused.errorCode())).isEqualTo(ErrorCode.NON_EMPTY_GROUP);
        assertThat(refused.topics()).isEmpty();
    }

    private static JoinGroupRequestData joining() {
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId("g")
                .setMemberId("")
                .setSessionTimeoutMs(10_000)
                .setRebalanceTimeoutMs(60_000)
                .setProtocolType("consumer");
        request.protocols()
                .add(new JoinGroupRequestData.JoinGroupRequestProtocol()
                        .setName("range")
                        .setMetadata(new byte[] {1}));
        return request;
    }

    private static SyncGroupRequestData syncing() {
        return new SyncGroupRequestData()
                .setGroupId("g")
                .setGenerationId(3)
                .setMemberId("m")
                .setProtocolType("consumer")
                .setProtocolName("range")
                .setAssignments(List.of(new SyncGroupRequestData.SyncGroupRequestAssignment()
                        .setMemberId("m")
                        .setAssignment(new byte[] {9})));
    }

    private static OffsetCommitRequestData committing(int... partitions) {
        List<OffsetCommitRequestPartition> offsets = java.util.Arrays.stream(partitions)
                .mapToObj(partition -> new OffsetCommitRequestPartition()
                        .setPartitionIndex(partition)
                        .setCommittedOffset(5)
                        .setCommittedLeaderEpoch(4)
                        .setCommittedMetadata(null))
                .toList();
        return new OffsetCommitRequestData()
                .setGroupId("g")
                .setTopics(List.of(new OffsetCommitRequestTopic().setName("t").setPartitions(offsets)));
    }
}
