package io.felice.handlers;

import io.felice.protocol.Apis;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * One valid request for each API and version. Uses topic "t" with partition 0 and the missing partition 9, and group
 * "g".
 */
final class ValidRequests {
    private static final String TOPIC = "t";
    private static final String GROUP = "g";
    private static final byte TOPIC_RESOURCE = 2;
    private static final byte BROKER_RESOURCE = 4;

    private ValidRequests() {}

    static MemoryRecords records() {
        return MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(1L, "value".getBytes()));
    }

    /** @param topicId the id of topic "t" */
    static ApiMessage of(short key, int version, UUID topicId) {
        return switch (key) {
            case Apis.PRODUCE -> produce(version, topicId);
            case Apis.FETCH -> fetch(version, topicId);
            case Apis.LIST_OFFSETS -> listOffsets();
            case Apis.METADATA -> metadata(version, topicId);
            case Apis.OFFSET_COMMIT -> offsetCommit(version, topicId);
            case Apis.OFFSET_FETCH -> offsetFetch(version, topicId);
            case Apis.FIND_COORDINATOR -> findCoordinator(version);
            case Apis.JOIN_GROUP -> joinGroup();
            case Apis.HEARTBEAT -> new HeartbeatRequestData().setGroupId(GROUP).setMemberId("m");
            case Apis.LEAVE_GROUP -> leaveGroup(version);
            case Apis.SYNC_GROUP -> syncGroup();
            case Apis.DESCRIBE_GROUPS -> new DescribeGroupsRequestData()
                    .setGroups(List.of(GROUP, "other"))
                    .setIncludeAuthorizedOperations(version >= 3);
            case Apis.LIST_GROUPS -> listGroups(version);
            case Apis.SASL_HANDSHAKE -> new SaslHandshakeRequestData().setMechanism("PLAIN");
            case Apis.SASL_AUTHENTICATE -> new SaslAuthenticateRequestData().setAuthBytes(new byte[] {1});
            case Apis.API_VERSIONS -> new ApiVersionsRequestData()
                    .setClientSoftwareName("felice-test")
                    .setClientSoftwareVersion("1.0");
            case Apis.CREATE_TOPICS -> createTopics();
            case Apis.DELETE_TOPICS -> deleteTopics(version, topicId);
            case Apis.DELETE_RECORDS -> deleteRecords();
            case Apis.INIT_PRODUCER_ID -> new InitProducerIdRequestData().setTransactionalId(null);
            case Apis.OFFSET_FOR_LEADER_EPOCH -> offsetForLeaderEpoch();
            case Apis.DESCRIBE_PRODUCERS -> describeProducers();
            case Apis.DESCRIBE_CONFIGS -> describeConfigs(version);
            case Apis.ALTER_CONFIGS -> alterConfigs();
            case Apis.ALTER_REPLICA_LOG_DIRS -> alterReplicaLogDirs();
            case Apis.DESCRIBE_LOG_DIRS -> new DescribeLogDirsRequestData().setTopics(null);
            case Apis.CREATE_PARTITIONS -> createPartitions();
            case Apis.DELETE_GROUPS -> new DeleteGroupsRequestData().setGroupsNames(List.of(GROUP, "other"));
            case Apis.ELECT_LEADERS -> electLeaders();
            case Apis.INCREMENTAL_ALTER_CONFIGS -> incrementalAlterConfigs();
            case Apis.ALTER_PARTITION_REASSIGNMENTS -> reassignments();
            case Apis.LIST_PARTITION_REASSIGNMENTS -> new ListPartitionReassignmentsRequestData().setTopics(null);
            case Apis.OFFSET_DELETE -> offsetDelete();
            case Apis.UPDATE_FEATURES -> updateFeatures(version);
            case Apis.ENVELOPE -> new EnvelopeRequestData()
                    .setRequestData(ByteBuffer.wrap(new byte[] {1, 2, 3}))
                    .setClientHostAddress(new byte[0]);
            case Apis.UNREGISTER_BROKER -> new UnregisterBrokerRequestData().setBrokerId(FakeCluster.BROKER);
            case Apis.LIST_CONFIG_RESOURCES -> new ListConfigResourcesRequestData();
            case Apis.DESCRIBE_TOPIC_PARTITIONS -> describeTopicPartitions();
            case Apis.DESCRIBE_CLUSTER -> new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true);
            default -> ValidSecurityRequests.of(key);
        };
    }

    private static ProduceRequestData produce(int version, UUID topicId) {
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) -1).setTimeoutMs(1000);
        request.topicData()
                .add(new ProduceRequestData.TopicProduceData()
                        .setName(TOPIC)
                        .setTopicId(version >= 13 ? TopicIds.of(topicId) : Uuid.ZERO_UUID)
                        .setPartitionData(List.of(
                                new ProduceRequestData.PartitionProduceData()
                                        .setIndex(0)
                                        .setRecords(records()),
                                new ProduceRequestData.PartitionProduceData()
                                        .setIndex(9)
                                        .setRecords(records()))));
        return request;
    }

    private static FetchRequestData fetch(int version, UUID topicId) {
        Uuid id = version >= 13 ? TopicIds.of(topicId) : Uuid.ZERO_UUID;
        FetchRequestData request = new FetchRequestData()
                .setMaxWaitMs(10)
                .setMinBytes(1)
                .setIsolationLevel((byte) 1)
                .setSessionId(0)
                .setSessionEpoch(version >= 7 ? 0 : -1);
        request.topics()
                .add(new FetchRequestData.FetchTopic()
                        .setTopic(TOPIC)
                        .setTopicId(id)
                        .setPartitions(List.of(fetchPartition(0), fetchPartition(9))));
        return request;
    }

    static FetchRequestData.FetchPartition fetchPartition(int partition) {
        return new FetchRequestData.FetchPartition()
                .setPartition(partition)
                .setFetchOffset(10)
                .setPartitionMaxBytes(1000);
    }

    private static ListOffsetsRequestData listOffsets() {
        List<ListOffsetsRequestData.ListOffsetsPartition> partitions = new ArrayList<>();
        partitions.add(new ListOffsetsRequestData.ListOffsetsPartition()
                .setPartitionIndex(0)
                .setTimestamp(-1));
        partitions.add(new ListOffsetsRequestData.ListOffsetsPartition()
                .setPartitionIndex(9)
                .setTimestamp(-2));
        return new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsRequestData.ListOffsetsTopic()
                        .setName(TOPIC)
                        .setPartitions(partitions)));
    }

    private static MetadataRequestData metadata(int version, UUID topicId) {
        MetadataRequestData request = new MetadataRequestData()
                .setAllowAutoTopicCreation(true)
                .setIncludeTopicAuthorizedOperations(version >= 8)
                .setIncludeClusterAuthorizedOperations(version >= 8 && version <= 10);
        request.topics().add(new MetadataRequestData.MetadataRequestTopic().setName(TOPIC));
        request.topics().add(new MetadataRequestData.MetadataRequestTopic().setName("not/valid"));
        request.topics().add(new MetadataRequestData.MetadataRequestTopic().setName("created"));
        if (version >= 12) {
            request.topics()
                    .add(new MetadataRequestData.MetadataRequestTopic()
                            .setName(null)
                            .setTopicId(TopicIds.of(topicId)));
            request.topics()
                    .add(new MetadataRequestData.MetadataRequestTopic()
                            .setName(null)
                            .setTopicId(new Uuid(9, 9)));
        }
        return request;
    }

    private static OffsetCommitRequestData offsetCommit(int version, UUID topicId) {
        return new OffsetCommitRequestData()
                .setGroupId(GROUP)
                .setMemberId("m")
                .setTopics(List.of(new OffsetCommitRequestData.OffsetCommitRequestTopic()
                        .setName(TOPIC)
                        .setTopicId(version >= 10 ? TopicIds.of(topicId) : Uuid.ZERO_UUID)
                        .setPartitions(List.of(
                                new OffsetCommitRequestData.OffsetCommitRequestPartition()
                                        .setPartitionIndex(0)
                                        .setCommittedOffset(5)
                                        .setCommittedMetadata("note"),
                                new OffsetCommitRequestData.OffsetCommitRequestPartition()
                                        .setPartitionIndex(9)
                                        .setCommittedOffset(5)
                                        .setCommittedMetadata(null)))));
    }

    private static OffsetFetchRequestData offsetFetch(int version, UUID topicId) {
        if (version >= 8) {
            return new OffsetFetchRequestData()
                    .setGroups(List.of(
                            new OffsetFetchRequestData.OffsetFetchRequestGroup()
                                    .setGroupId(GROUP)
                                    .setTopics(null),
                            new OffsetFetchRequestData.OffsetFetchRequestGroup()
                                    .setGroupId("other")
                                    .setTopics(List.of(new OffsetFetchRequestData.OffsetFetchRequestTopics()
                                            .setName(TOPIC)
                                            .setTopicId(version >= 10 ? TopicIds.of(topicId) : Uuid.ZERO_UUID)
                                            .setPartitionIndexes(List.of(0, 1))))));
        }
        return new OffsetFetchRequestData()
                .setGroupId(GROUP)
                .setTopics(List.of(new OffsetFetchRequestData.OffsetFetchRequestTopic()
                        .setName(TOPIC)
                        .setPartitionIndexes(List.of(0, 1))));
    }

    private static FindCoordinatorRequestData findCoordinator(int version) {
        FindCoordinatorRequestData request = new FindCoordinatorRequestData().setKeyType((byte) 0);
        return version >= 4 ? request.setCoordinatorKeys(List.of(GROUP, "other")) : request.setKey(GROUP);
    }

    private static JoinGroupRequestData joinGroup() {
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId(GROUP)
                .setSessionTimeoutMs(10_000)
                .setRebalanceTimeoutMs(60_000)
                .setMemberId("")
                .setProtocolType("consumer");
        request.protocols()
                .add(new JoinGroupRequestData.JoinGroupRequestProtocol()
                        .setName("range")
                        .setMetadata(new byte[] {1}));
        return request;
    }

    private static LeaveGroupRequestData leaveGroup(int version) {
        LeaveGroupRequestData request = new LeaveGroupRequestData().setGroupId(GROUP);
        return version < 3
                ? request.setMemberId("m")
                : request.setMembers(List.of(
                        new LeaveGroupRequestData.MemberIdentity().setMemberId("m"),
                        new LeaveGroupRequestData.MemberIdentity().setMemberId("unknown")));
    }

    private static SyncGroupRequestData syncGroup() {
        return new SyncGroupRequestData()
                .setGroupId(GROUP)
                .setGenerationId(3)
                .setMemberId("m")
                .setProtocolType("consumer")
                .setProtocolName("range")
                .setAssignments(List.of(new SyncGroupRequestData.SyncGroupRequestAssignment()
                        .setMemberId("m")
                        .setAssignment(new byte[] {2})));
    }

    private static ListGroupsRequestData listGroups(int version) {
        ListGroupsRequestData request = new ListGroupsRequestData();
        if (version >= 4) {
            request.setStatesFilter(List.of("stable"));
        }
        return version >= 5 ? request.setTypesFilter(List.of("Classic")) : request;
    }

    private static CreateTopicsRequestData createTopics() {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(1000);
        for (String name : List.of("new", "bad name")) {
            request.topics()
                    .add(new CreateTopicsRequestData.CreatableTopic()
                            .setName(name)
                            .setNumPartitions(3)
                            .setReplicationFactor((short) 1));
        }
        return request;
    }

    private static DeleteTopicsRequestData deleteTopics(int version, UUID topicId) {
        DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTimeoutMs(1000);
        return version < 6
                ? request.setTopicNames(List.of(TOPIC, "unknown"))
                : request.setTopics(List.of(
                        new DeleteTopicsRequestData.DeleteTopicState().setTopicId(TopicIds.of(topicId)),
                        new DeleteTopicsRequestData.DeleteTopicState().setTopicId(new Uuid(9, 9)),
                        new DeleteTopicsRequestData.DeleteTopicState().setName("unknown")));
    }

    private static DeleteRecordsRequestData deleteRecords() {
        return new DeleteRecordsRequestData()
                .setTimeoutMs(1000)
                .setTopics(List.of(new DeleteRecordsRequestData.DeleteRecordsTopic()
                        .setName(TOPIC)
                        .setPartitions(List.of(
                                new DeleteRecordsRequestData.DeleteRecordsPartition()
                                        .setPartitionIndex(0)
                                        .setOffset(12),
                                new DeleteRecordsRequestData.DeleteRecordsPartition()
                                        .setPartitionIndex(9)
                                        .setOffset(-1)))));
    }

    private static DescribeProducersRequestData describeProducers() {
        DescribeProducersRequestData request = new DescribeProducersRequestData();
        request.topics()
                .add(new DescribeProducersRequestData.TopicRequest()
                        .setName(TOPIC)
                        .setPartitionIndexes(List.of(0, 9)));
        return request;
    }

    private static OffsetForLeaderEpochRequestData offsetForLeaderEpoch() {
        OffsetForLeaderEpochRequestData request = new OffsetForLeaderEpochRequestData().setReplicaId(-1);
        request.topics()
                .add(new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic()
                        .setTopic(TOPIC)
                        .setPartitions(List.of(
                                new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition()
                                        .setPartition(0)
                                        .setLeaderEpoch(3),
                                new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition()
                                        .setPartition(9)
                                        .setLeaderEpoch(3))));
        return request;
    }

    private static DescribeConfigsRequestData describeConfigs(int version) {
        return new DescribeConfigsRequestData()
                .setIncludeSynonyms(true)
                .setIncludeDocumentation(version >= 3)
                .setResources(List.of(
                        describe(TOPIC_RESOURCE, TOPIC),
                        describe(TOPIC_RESOURCE, "unknown"),
                        describe(BROKER_RESOURCE, Integer.toString(FakeCluster.BROKER)),
                        describe(BROKER_RESOURCE, "")));
    }

    private static DescribeConfigsRequestData.DescribeConfigsResource describe(byte type, String name) {
        return new DescribeConfigsRequestData.DescribeConfigsResource()
                .setResourceType(type)
                .setResourceName(name)
                .setConfigurationKeys(null);
    }

    private static AlterConfigsRequestData alterConfigs() {
        AlterConfigsRequestData request = new AlterConfigsRequestData();
        for (String topic : List.of(TOPIC, "unknown")) {
            AlterConfigsRequestData.AlterableConfigCollection configs =
                    new AlterConfigsRequestData.AlterableConfigCollection();
            configs.add(new AlterConfigsRequestData.AlterableConfig()
                    .setName("retention.ms")
                    .setValue("1000"));
            request.resources()
                    .add(new AlterConfigsRequestData.AlterConfigsResource()
                            .setResourceType(TOPIC_RESOURCE)
                            .setResourceName(topic)
                            .setConfigs(configs));
        }
        return request;
    }

    private static IncrementalAlterConfigsRequestData incrementalAlterConfigs() {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        for (String topic : List.of(TOPIC, "unknown")) {
            IncrementalAlterConfigsRequestData.AlterableConfigCollection configs =
                    new IncrementalAlterConfigsRequestData.AlterableConfigCollection();
            configs.add(new IncrementalAlterConfigsRequestData.AlterableConfig()
                    .setName("retention.ms")
                    .setConfigOperation((byte) 0)
                    .setValue("1000"));
            request.resources()
                    .add(new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                            .setResourceType(TOPIC_RESOURCE)
                            .setResourceName(topic)
                            .setConfigs(configs));
        }
        return request;
    }

    private static CreatePartitionsRequestData createPartitions() {
        CreatePartitionsRequestData request = new CreatePartitionsRequestData().setTimeoutMs(1000);
        for (String topic : List.of(TOPIC, "unknown")) {
            request.topics()
                    .add(new CreatePartitionsRequestData.CreatePartitionsTopic()
                            .setName(topic)
                            .setCount(4)
                            .setAssignments(null));
        }
        return request;
    }

    private static ElectLeadersRequestData electLeaders() {
        ElectLeadersRequestData.TopicPartitionsCollection partitions =
                new ElectLeadersRequestData.TopicPartitionsCollection();
        partitions.add(
                new ElectLeadersRequestData.TopicPartitions().setTopic(TOPIC).setPartitions(List.of(0, 1)));
        return new ElectLeadersRequestData().setTimeoutMs(1000).setTopicPartitions(partitions);
    }

    private static AlterPartitionReassignmentsRequestData reassignments() {
        return new AlterPartitionReassignmentsRequestData()
                .setTimeoutMs(1000)
                .setTopics(List.of(new AlterPartitionReassignmentsRequestData.ReassignableTopic()
                        .setName(TOPIC)
                        .setPartitions(List.of(
                                new AlterPartitionReassignmentsRequestData.ReassignablePartition()
                                        .setPartitionIndex(0)
                                        .setReplicas(List.of(FakeCluster.BROKER)),
                                new AlterPartitionReassignmentsRequestData.ReassignablePartition()
                                        .setPartitionIndex(1)
                                        .setReplicas(null)))));
    }

    private static UpdateFeaturesRequestData updateFeatures(int version) {
        UpdateFeaturesRequestData.FeatureUpdateKeyCollection updates =
                new UpdateFeaturesRequestData.FeatureUpdateKeyCollection();
        updates.add(new UpdateFeaturesRequestData.FeatureUpdateKey()
                .setFeature("felice.version")
                .setMaxVersionLevel((short) 1));
        return new UpdateFeaturesRequestData().setFeatureUpdates(updates).setValidateOnly(version > 0);
    }

    private static DescribeTopicPartitionsRequestData describeTopicPartitions() {
        List<DescribeTopicPartitionsRequestData.TopicRequest> topics = new ArrayList<>();
        for (String name : List.of(TOPIC, "unknown")) {
            topics.add(new DescribeTopicPartitionsRequestData.TopicRequest().setName(name));
        }
        return new DescribeTopicPartitionsRequestData().setTopics(topics).setResponsePartitionLimit(1);
    }

    private static OffsetDeleteRequestData offsetDelete() {
        List<OffsetDeleteRequestData.OffsetDeleteRequestPartition> partitions = List.of(
                new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(0),
                new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(9));
        Iterator<OffsetDeleteRequestData.OffsetDeleteRequestTopic> topics = List.of(
                        new OffsetDeleteRequestData.OffsetDeleteRequestTopic()
                                .setName(TOPIC)
                                .setPartitions(partitions))
                .iterator();
        return new OffsetDeleteRequestData()
                .setGroupId(GROUP)
                .setTopics(new OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection(topics));
    }

    private static AlterReplicaLogDirsRequestData alterReplicaLogDirs() {
        AlterReplicaLogDir dir = new AlterReplicaLogDir().setPath("log:/data");
        dir.topics().add(new AlterReplicaLogDirTopic().setName(TOPIC).setPartitions(List.of(0)));
        AlterReplicaLogDirsRequestData request = new AlterReplicaLogDirsRequestData();
        request.dirs().add(dir);
        return request;
    }
}
