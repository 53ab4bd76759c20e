package io.felice.itests.clients;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopicCollection;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicCollection;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitions;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitionsCollection;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopicCollection;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKeyCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.JoinGroupResponse;

/**
 * One valid request for each API and version. It succeeds whatever was requested before: the topic or the group member
 * that it needs is created first.
 */
final class ValidRequests implements AutoCloseable {
    static final String TOPIC = "wire";
    private static final byte[] METADATA = "opaque".getBytes(StandardCharsets.UTF_8);

    private final Wire wire;
    private final Admin admin;
    private final int broker;
    private final Uuid topicId;
    private int made;

    ValidRequests(String bootstrap) throws IOException {
        wire = new Wire(bootstrap);
        admin = Java.admin(bootstrap);
        Java.createTopic(bootstrap, TOPIC, 1, Map.of());
        Java.write(bootstrap, TOPIC, 0, Java.numbered("record", 10));
        broker = Java.get(admin.describeCluster().nodes()).iterator().next().id();
        topicId = Java.get(admin.describeTopics(List.of(TOPIC)).allTopicNames())
                .get(TOPIC)
                .topicId();
    }

    @Override
    public void close() throws IOException {
        wire.close();
        admin.close();
    }

    ApiMessage of(ApiKeys key, int version) throws IOException {
        return switch (key) {
            case PRODUCE -> produce(version);
            case FETCH -> fetch(version);
            case LIST_OFFSETS -> new ListOffsetsRequestData()
                    .setReplicaId(-1)
                    .setTopics(List.of(new ListOffsetsTopic()
                            .setName(TOPIC)
                            .setPartitions(List.of(new ListOffsetsPartition().setTimestamp(-1)))));
            case SASL_HANDSHAKE -> new SaslHandshakeRequestData().setMechanism("PLAIN");
            case SASL_AUTHENTICATE -> new SaslAuthenticateRequestData().setAuthBytes(METADATA);
            case METADATA -> new MetadataRequestData()
                    .setTopics(List.of(new MetadataRequestTopic().setName(TOPIC)))
                    .setAllowAutoTopicCreation(true);
            case OFFSET_COMMIT -> offsetCommit(version, member(newGroup(), true));
            case OFFSET_FETCH -> offsetFetch(version);
            case FIND_COORDINATOR -> version < 4
                    ? new FindCoordinatorRequestData().setKey("a group")
                    : new FindCoordinatorRequestData().setCoordinatorKeys(List.of("a group", "another"));
            case JOIN_GROUP -> joinGroup(version, newGroup());
            case SYNC_GROUP -> syncGroup(version, member(newGroup(), false));
            case HEARTBEAT -> heartbeat(member(newGroup(), true));
            case LEAVE_GROUP -> leaveGroup(version, member(newGroup(), true));
            case DESCRIBE_GROUPS -> new DescribeGroupsRequestData()
                    .setGroups(List.of(member(newGroup(), true).group()));
            case LIST_GROUPS -> new ListGroupsRequestData();
            case API_VERSIONS -> version < 3
                    ? new ApiVersionsRequestData()
                    : new ApiVersionsRequestData().setClientSoftwareName("wire").setClientSoftwareVersion("1");
            case CREATE_TOPICS -> new CreateTopicsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(new CreatableTopicCollection(List.of(new CreatableTopic()
                                    .setName(newName("created"))
                                    .setNumPartitions(2)
                                    .setReplicationFactor((short) 1))
                            .iterator()));
            case DELETE_TOPICS -> deleteTopics(version, newTopic());
            case DELETE_RECORDS -> new DeleteRecordsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(List.of(new DeleteRecordsTopic()
                            .setName(TOPIC)
                            .setPartitions(List.of(new DeleteRecordsPartition().setOffset(1)))));
            case INIT_PRODUCER_ID -> new InitProducerIdRequestData()
                    .setTransactionalId(null)
                    .setTransactionTimeoutMs(60_000);
            case OFFSET_FOR_LEADER_EPOCH -> new OffsetForLeaderEpochRequestData()
                    .setReplicaId(version < 3 ? -2 : -1)
                    .setTopics(new OffsetForLeaderTopicCollection(List.of(new OffsetForLeaderTopic()
                                    .setTopic(TOPIC)
                                    .setPartitions(List.of(new OffsetForLeaderPartition().setLeaderEpoch(0))))
                            .iterator()));
            case DESCRIBE_CONFIGS -> new DescribeConfigsRequestData()
                    .setResources(List.of(
                            new DescribeConfigsResource()
                                    .setResourceType(ConfigResource.Type.TOPIC.id())
                                    .setResourceName(TOPIC),
                            new DescribeConfigsResource()
                                    .setResourceType(ConfigResource.Type.BROKER.id())
                                    .setResourceName(Integer.toString(broker))))
                    .setIncludeSynonyms(true)
                    .setIncludeDocumentation(version >= 3);
            case ALTER_CONFIGS -> alterConfigs();
            case INCREMENTAL_ALTER_CONFIGS -> incrementalAlterConfigs();
            case ALTER_REPLICA_LOG_DIRS -> alterReplicaLogDirs();
            case DESCRIBE_LOG_DIRS -> new DescribeLogDirsRequestData().setTopics(null);
            case CREATE_PARTITIONS -> new CreatePartitionsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(new CreatePartitionsTopicCollection(List.of(new CreatePartitionsTopic()
                                    .setName(newTopic())
                                    .setCount(3)
                                    .setAssignments(null))
                            .iterator()));
            case DELETE_GROUPS -> new DeleteGroupsRequestData().setGroupsNames(List.of(newGroupWithOffsets()));
            case ELECT_LEADERS -> new ElectLeadersRequestData()
                    .setTimeoutMs(10_000)
                    .setTopicPartitions(new TopicPartitionsCollection(
                            List.of(new TopicPartitions().setTopic(TOPIC).setPartitions(List.of(0)))
                                    .iterator()));
            case ALTER_PARTITION_REASSIGNMENTS -> new AlterPartitionReassignmentsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(List.of(new ReassignableTopic()
                            .setName(TOPIC)
                            .setPartitions(List.of(new ReassignablePartition().setReplicas(List.of(broker))))));
            case LIST_PARTITION_REASSIGNMENTS -> new ListPartitionReassignmentsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(null);
            case OFFSET_DELETE -> new OffsetDeleteRequestData()
                    .setGroupId(newGroupWithOffsets())
                    .setTopics(new OffsetDeleteRequestTopicCollection(List.of(new OffsetDeleteRequestTopic()
                                    .setName(TOPIC)
                                    .setPartitions(List.of(new OffsetDeleteRequestPartition())))
                            .iterator()));
            case UPDATE_FEATURES -> updateFeatures();
            case DESCRIBE_CLUSTER -> new DescribeClusterRequestData();
            case UNREGISTER_BROKER -> new UnregisterBrokerRequestData().setBrokerId(broker + 1);
            case LIST_CONFIG_RESOURCES -> new ListConfigResourcesRequestData();
            case DESCRIBE_PRODUCERS -> new DescribeProducersRequestData()
                    .setTopics(new DescribeProducersRequestData.TopicRequestCollection(
                            List.of(new DescribeProducersRequestData.TopicRequest()
                                            .setName(TOPIC)
                                            .setPartitionIndexes(List.of(0)))
                                    .iterator()));
            case DESCRIBE_TOPIC_PARTITIONS -> new DescribeTopicPartitionsRequestData()
                    .setTopics(List.of(new DescribeTopicPartitionsRequestData.TopicRequest().setName(TOPIC)));
            default -> ValidSecurityRequests.of(key);
        };
    }

    // ---- records

    private ApiMessage produce(int version) {
        MemoryRecords records = MemoryRecords.withRecords(Compression.NONE, new SimpleRecord("value".getBytes()));
        return new ProduceRequestData()
                .setAcks((short) -1)
                .setTimeoutMs(10_000)
                .setTopicData(new TopicProduceDataCollection(List.of(new TopicProduceData()
                                .setName(version < 13 ? TOPIC : "")
                                .setTopicId(version < 13 ? Uuid.ZERO_UUID : topicId)
                                .setPartitionData(List.of(new PartitionProduceData().setRecords(records))))
                        .iterator()));
    }

    private ApiMessage fetch(int version) {
        FetchTopic topic = new FetchTopic()
                .setPartitions(List.of(new FetchPartition()
                        .setFetchOffset(5)
                        .setCurrentLeaderEpoch(-1)
                        .setPartitionMaxBytes(1 << 20)));
        if (version < 13) {
            topic.setTopic(TOPIC);
        } else {
            topic.setTopicId(topicId);
        }
        return new FetchRequestData()
                .setMaxWaitMs(100)
                .setMinBytes(1)
                .setMaxBytes(1 << 20)
                .setTopics(List.of(topic));
    }

    // ---- topics and configs

    private ApiMessage deleteTopics(int version, String topic) {
        DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTimeoutMs(10_000);
        return version < 6
                ? request.setTopicNames(List.of(topic))
                : request.setTopics(List.of(new DeleteTopicState().setName(topic)));
    }

    private static ApiMessage updateFeatures() {
        FeatureUpdateKeyCollection updates = new FeatureUpdateKeyCollection(
                List.of(new FeatureUpdateKey().setFeature("felice.version").setMaxVersionLevel((short) 1))
                        .iterator());
        return new UpdateFeaturesRequestData().setFeatureUpdates(updates);
    }

    private ApiMessage alterConfigs() {
        AlterConfigsRequestData.AlterableConfig config = new AlterConfigsRequestData.AlterableConfig()
                .setName("retention.ms")
                .setValue("86400000");
        AlterConfigsRequestData.AlterConfigsResource resource = new AlterConfigsRequestData.AlterConfigsResource()
                .setResourceType(ConfigResource.Type.TOPIC.id())
                .setResourceName(TOPIC)
                .setConfigs(new AlterConfigsRequestData.AlterableConfigCollection(
                        List.of(config).iterator()));
        return new AlterConfigsRequestData()
                .setResources(new AlterConfigsRequestData.AlterConfigsResourceCollection(
                        List.of(resource).iterator()));
    }

    private ApiMessage incrementalAlterConfigs() {
        IncrementalAlterConfigsRequestData.AlterableConfig config =
                new IncrementalAlterConfigsRequestData.AlterableConfig()
                        .setName("retention.ms")
                        .setConfigOperation((byte) 0)
                        .setValue("86400000");
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource =
                new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                        .setResourceType(ConfigResource.Type.TOPIC.id())
                        .setResourceName(TOPIC)
                        .setConfigs(new IncrementalAlterConfigsRequestData.AlterableConfigCollection(
                                List.of(config).iterator()));
        return new IncrementalAlterConfigsRequestData()
                .setResources(new IncrementalAlterConfigsRequestData.AlterConfigsResourceCollection(
                        List.of(resource).iterator()));
    }

    // ---- groups

    private record Member(String group, String id, int generation) {}

    private ApiMessage joinGroup(int version, String group) {
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId(group)
                .setSessionTimeoutMs(30_000)
                .setMemberId("")
                .setProtocolType("wire")
                .setProtocols(new JoinGroupRequestProtocolCollection(
                        List.of(new JoinGroupRequestProtocol().setName("only").setMetadata(METADATA))
                                .iterator()));
        return version >= 1 ? request.setRebalanceTimeoutMs(30_000) : request;
    }

    private ApiMessage syncGroup(int version, Member member) {
        SyncGroupRequestData request = new SyncGroupRequestData()
                .setGroupId(member.group())
                .setMemberId(member.id())
                .setGenerationId(member.generation())
                .setAssignments(List.of(new SyncGroupRequestAssignment()
                        .setMemberId(member.id())
                        .setAssignment(METADATA)));
        return version >= 5 ? request.setProtocolType("wire").setProtocolName("only") : request;
    }

    private ApiMessage heartbeat(Member member) {
        return new HeartbeatRequestData()
                .setGroupId(member.group())
                .setMemberId(member.id())
                .setGenerationId(member.generation());
    }

    private ApiMessage leaveGroup(int version, Member member) {
        LeaveGroupRequestData request = new LeaveGroupRequestData().setGroupId(member.group());
        return version < 3
                ? request.setMemberId(member.id())
                : request.setMembers(List.of(new MemberIdentity().setMemberId(member.id())));
    }

    private ApiMessage offsetCommit(int version, Member member) {
        return new OffsetCommitRequestData()
                .setGroupId(member.group())
                .setMemberId(member.id())
                .setGenerationIdOrMemberEpoch(member.generation())
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setName(version < 10 ? TOPIC : "")
                        .setTopicId(version < 10 ? Uuid.ZERO_UUID : topicId)
                        .setPartitions(List.of(new OffsetCommitRequestPartition().setCommittedOffset(3)))));
    }

    private ApiMessage offsetFetch(int version) {
        if (version < 8) {
            return new OffsetFetchRequestData()
                    .setGroupId("nobody")
                    .setTopics(
                            List.of(new OffsetFetchRequestTopic().setName(TOPIC).setPartitionIndexes(List.of(0))));
        }
        return new OffsetFetchRequestData()
                .setGroups(List.of(
                        new OffsetFetchRequestGroup()
                                .setGroupId("nobody")
                                .setTopics(List.of(new OffsetFetchRequestTopics()
                                        .setName(version < 10 ? TOPIC : "")
                                        .setTopicId(version < 10 ? Uuid.ZERO_UUID : topicId)
                                        .setPartitionIndexes(List.of(0)))),
                        new OffsetFetchRequestGroup().setGroupId("somebody").setTopics(null)));
    }

    private Member member(String group, boolean synced) throws IOException {
        // Until version 3, a member may join without a member id.
        JoinGroupResponse joined = (JoinGroupResponse) wire.ask(ApiKeys.JOIN_GROUP, 3, joinGroup(3, group));
        Member member =
                new Member(group, joined.data().memberId(), joined.data().generationId());
        if (synced) {
            wire.ask(ApiKeys.SYNC_GROUP, 3, syncGroup(3, member));
        }
        return member;
    }

    private String newGroupWithOffsets() throws IOException {
        String group = newGroup();
        wire.ask(ApiKeys.OFFSET_COMMIT, 7, offsetCommit(9, new Member(group, "", -1)));
        return group;
    }

    private String newGroup() throws IOException {
        String group = newName("group");
        // The first FindCoordinator request creates the offsets topic, so the coordinator may be unavailable for a
        // moment.
        FindCoordinatorRequestData search = new FindCoordinatorRequestData().setKey(group);
        Java.await("a coordinator", () -> {
            try {
                boolean found = wire.ask(ApiKeys.FIND_COORDINATOR, 3, search)
                        .errorCounts()
                        .containsKey(org.apache.kafka.common.protocol.Errors.NONE);
                return found && coordinates(group);
            } catch (IOException failure) {
                throw new AssertionError(failure);
            }
        });
        return group;
    }

    private boolean coordinates(String group) throws IOException {
        return wire.ask(ApiKeys.DESCRIBE_GROUPS, 4, new DescribeGroupsRequestData().setGroups(List.of(group)))
                .errorCounts()
                .containsKey(org.apache.kafka.common.protocol.Errors.NONE);
    }

    private String newTopic() {
        String topic = newName("made");
        Java.get(admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic(topic, 1, (short) 1)))
                .all());
        return topic;
    }

    private String newName(String kind) {
        return "wire-" + kind + "-" + made++;
    }

    private static AlterReplicaLogDirsRequestData alterReplicaLogDirs() {
        AlterReplicaLogDir dir = new AlterReplicaLogDir().setPath("log:/nowhere");
        dir.topics().add(new AlterReplicaLogDirTopic().setName(TOPIC).setPartitions(List.of(0)));
        AlterReplicaLogDirsRequestData request = new AlterReplicaLogDirsRequestData();
        request.dirs().add(dir);
        return request;
    }
}
