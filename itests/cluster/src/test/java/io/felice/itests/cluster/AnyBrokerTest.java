package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import io.felice.testkit.FeliceCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.common.requests.DeleteRecordsResponse;
import org.apache.kafka.common.requests.FindCoordinatorResponse;
import org.apache.kafka.common.requests.HeartbeatResponse;
import org.apache.kafka.common.requests.IncrementalAlterConfigsResponse;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What each broker of a cluster answers: the same as the others, or Kafka's code for a broker that is the wrong one. */
@Timeout(60)
class AnyBrokerTest {
    private static final List<Integer> ALL = List.of(1, 2, 3);

    private static FeliceCluster cluster;

    @BeforeAll
    static void start() {
        cluster = FeliceCluster.of(3)
                .rack(1, "a")
                .rack(2, "b")
                .rack(3, "c")
                .config(
                        "io.felice.broker",
                        "replica.selector.class",
                        "org.apache.kafka.common.replica.RackAwareReplicaSelector")
                .start();
        Clients.createTopic(cluster.bootstrap(), "orders", 3, 2, Map.of());
        Clients.write(cluster.bootstrap(), "orders", Java.numbered("order", 30));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void everyBrokerTakesRequestsForTheController() throws IOException {
        for (int id : ALL) {
            try (Wire wire = new Wire(cluster.bootstrap(id))) {
                CreatableTopic topic = new CreatableTopic()
                        .setName("made-at-" + id)
                        .setNumPartitions(2)
                        .setReplicationFactor((short) 3);
                CreateTopicsRequestData creation = new CreateTopicsRequestData().setTimeoutMs(10_000);
                creation.topics().add(topic);
                assertThat(((CreateTopicsResponse) wire.ask(ApiKeys.CREATE_TOPICS, 7, creation))
                                .data()
                                .topics())
                        .allSatisfy(made ->
                                assertThat(made.errorCode()).as("broker " + id).isZero());

                IncrementalAlterConfigsRequestData change = new IncrementalAlterConfigsRequestData();
                AlterConfigsResource resource =
                        new AlterConfigsResource().setResourceType((byte) 2).setResourceName("orders");
                resource.configs()
                        .add(new AlterableConfig().setName("retention.ms").setValue("10000" + id));
                change.resources().add(resource);
                assertThat(((IncrementalAlterConfigsResponse) wire.ask(ApiKeys.INCREMENTAL_ALTER_CONFIGS, 1, change))
                                .data()
                                .responses())
                        .allSatisfy(changed -> assertThat(changed.errorCode())
                                .as("broker " + id)
                                .isZero());
            }
        }
    }

    @Test
    void everyBrokerDescribesTheSameCluster() {
        for (int id : ALL) {
            try (Admin admin = Clients.admin(cluster.bootstrap(id))) {
                var described = admin.describeCluster();
                assertThat(Java.get(described.nodes()).stream().collect(Collectors.toMap(Node::id, Node::rack)))
                        .isEqualTo(Map.of(1, "a", 2, "b", 3, "c"));
                assertThat(Java.get(described.clusterId()))
                        .isEqualTo(cluster.view().clusterId().orElseThrow());
                var topic = Java.get(admin.describeTopics(List.of("orders")).allTopicNames())
                        .get("orders");
                assertThat(topic.partitions()).hasSize(3).allSatisfy(partition -> {
                    assertThat(partition.replicas()).hasSize(2);
                    assertThat(partition.isr()).hasSize(2);
                    assertThat(partition.leader().id()).isEqualTo(cluster.leader("orders", partition.partition()));
                });
            }
        }
    }

    @Test
    void offsetsAndLogDirectoriesAreGatheredFromTheirBrokers() {
        List<TopicPartition> partitions = ALL.stream()
                .map(number -> new TopicPartition("orders", number - 1))
                .toList();
        try (Admin admin = Clients.admin(cluster.bootstrap(2))) {
            Map<TopicPartition, OffsetSpec> ends =
                    partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
            assertThat(Java.get(admin.listOffsets(ends).all()).values().stream()
                            .mapToLong(ListOffsetsResult.ListOffsetsResultInfo::offset)
                            .sum())
                    .isEqualTo(30);

            long replicas = Java.get(admin.describeLogDirs(ALL).allDescriptions()).values().stream()
                    .flatMap(directories -> directories.values().stream())
                    .flatMap(directory -> directory.replicaInfos().keySet().stream())
                    .filter(partitions::contains)
                    .count();
            assertThat(replicas).isEqualTo(6);
        }
    }

    @Test
    void whoDoesNotLeadSaysSo() throws IOException {
        int leader = cluster.leader("orders", 0);
        for (int id : ALL) {
            short expected = (id == leader ? Errors.NONE : Errors.NOT_LEADER_OR_FOLLOWER).code();
            try (Wire wire = new Wire(cluster.bootstrap(id))) {
                ListOffsetsTopic ends = new ListOffsetsTopic().setName("orders");
                ends.partitions()
                        .add(new ListOffsetsPartition().setPartitionIndex(0).setTimestamp(-1));
                ListOffsetsResponse offsets = (ListOffsetsResponse) wire.ask(
                        ApiKeys.LIST_OFFSETS,
                        7,
                        new ListOffsetsRequestData().setReplicaId(-1).setTopics(List.of(ends)));
                assertThat(offsets.topics().get(0).partitions().get(0).errorCode())
                        .as("ListOffsets at broker %d", id)
                        .isEqualTo(expected);

                OffsetForLeaderTopic epochs = new OffsetForLeaderTopic().setTopic("orders");
                epochs.partitions()
                        .add(new OffsetForLeaderPartition().setPartition(0).setLeaderEpoch(0));
                OffsetForLeaderEpochRequestData asked = new OffsetForLeaderEpochRequestData().setReplicaId(-1);
                asked.topics().add(epochs);
                OffsetsForLeaderEpochResponse ended =
                        (OffsetsForLeaderEpochResponse) wire.ask(ApiKeys.OFFSET_FOR_LEADER_EPOCH, 4, asked);
                assertThat(ended.data()
                                .topics()
                                .iterator()
                                .next()
                                .partitions()
                                .get(0)
                                .errorCode())
                        .as("OffsetForLeaderEpoch at broker %d", id)
                        .isEqualTo(expected);

                DeleteRecordsTopic deletion = new DeleteRecordsTopic().setName("orders");
                deletion.partitions()
                        .add(new DeleteRecordsPartition().setPartitionIndex(0).setOffset(0));
                DeleteRecordsResponse deleted = (DeleteRecordsResponse) wire.ask(
                        ApiKeys.DELETE_RECORDS,
                        2,
                        new DeleteRecordsRequestData().setTimeoutMs(1000).setTopics(List.of(deletion)));
                assertThat(deleted.data()
                                .topics()
                                .iterator()
                                .next()
                                .partitions()
                                .iterator()
                                .next()
                                .errorCode())
                        .as("DeleteRecords at broker %d", id)
                        .isEqualTo(expected);

                if (id != leader) {
                    assertThat(produced(wire)).as("Produce at broker %d", id).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void aConsumerReadsFromTheReplicaInItsRack() {
        Clients.createTopic(cluster.bootstrap(), "near", 1, 3, Map.of());
        Clients.write(cluster.bootstrap(), "near", Java.numbered("first", 20));
        int follower = cluster.leader("near", 0) % 3 + 1;
        String rack = Map.of(1, "a", 2, "b", 3, "c").get(follower);
        TopicPartition partition = new TopicPartition("near", 0);
        try (KafkaConsumer<String, String> consumer = Java.textConsumer(
                cluster.bootstrap(), Clients.with(Map.of("client.rack", rack, "auto.offset.reset", "earliest")))) {
            consumer.assign(List.of(partition));
            assertThat(Clients.poll(consumer, 20)).isEqualTo(Java.numbered("first", 20));

            Clients.write(cluster.bootstrap(), "near", Java.numbered("second", 20));

            assertThat(Clients.poll(consumer, 20)).isEqualTo(Java.numbered("second", 20));
            assertThat(consumer.metrics().entrySet().stream()
                            .filter(metric -> metric.getKey().name().equals("preferred-read-replica"))
                            .map(metric -> metric.getValue().metricValue()))
                    .contains(follower);
        }
    }

    private static short produced(Wire wire) throws IOException {
        MemoryRecords records = MemoryRecords.withRecords(
                org.apache.kafka.common.compress.Compression.NONE,
                new org.apache.kafka.common.record.internal.SimpleRecord("stray".getBytes(StandardCharsets.UTF_8)));
        ProduceRequestData.TopicProduceData topic = new ProduceRequestData.TopicProduceData().setName("orders");
        topic.partitionData()
                .add(new ProduceRequestData.PartitionProduceData().setIndex(0).setRecords(records));
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) -1).setTimeoutMs(1000);
        request.topicData().add(topic);
        ProduceResponse response = (ProduceResponse) wire.ask(ApiKeys.PRODUCE, 9, request);
        return response.data()
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .get(0)
                .errorCode();
    }

    @Test
    void everyBrokerNamesTheSameCoordinatorAndOnlyItAnswers() throws IOException {
        int coordinator = 0;
        for (int id : ALL) {
            try (Wire wire = new Wire(cluster.bootstrap(id))) {
                FindCoordinatorResponse found = (FindCoordinatorResponse) wire.ask(
                        ApiKeys.FIND_COORDINATOR,
                        4,
                        new FindCoordinatorRequestData().setKeyType((byte) 0).setCoordinatorKeys(List.of("readers")));
                assertThat(found.data().coordinators().get(0).errorCode())
                        .as("broker " + id)
                        .isZero();
                assertThat(found.data().coordinators().get(0).nodeId())
                        .isIn(coordinator == 0 ? ALL : List.of(coordinator));
                coordinator = found.data().coordinators().get(0).nodeId();
            }
        }
        for (int id : ALL) {
            try (Wire wire = new Wire(cluster.bootstrap(id))) {
                HeartbeatResponse beat = (HeartbeatResponse) wire.ask(
                        ApiKeys.HEARTBEAT,
                        4,
                        new HeartbeatRequestData()
                                .setGroupId("readers")
                                .setMemberId("nobody")
                                .setGenerationId(1));
                assertThat(beat.error())
                        .as("Heartbeat at broker %d", id)
                        .isEqualTo(id == coordinator ? Errors.UNKNOWN_MEMBER_ID : Errors.NOT_COORDINATOR);
            }
        }
    }
}
