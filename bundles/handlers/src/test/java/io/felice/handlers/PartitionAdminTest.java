package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.MetadataRecord;
import java.util.List;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** DeleteRecords, OffsetForLeaderEpoch, AlterReplicaLogDirs, DescribeLogDirs and DescribeCluster. */
class PartitionAdminTest {
    private final FakeCluster cluster = new FakeCluster();
    private final FakePartitions partitions = new FakePartitions();
    private final Deadlines deadlines = new Deadlines();

    @AfterEach
    void stopDeadlines() {
        deadlines.close();
    }

    @Test
    void recordsAreDeletedPartitionByPartition() throws Exception {
        DeleteRecordsHandler delete = new DeleteRecordsHandler(partitions, deadlines, FakeAuthorization.open());
        for (int i = 0; i < 4; i++) {
            partitions.lead("t", i);
        }
        partitions.lead("__consumer_offsets", 0);
        DeleteRecordsRequestData request = new DeleteRecordsRequestData()
                .setTimeoutMs(1000)
                .setTopics(List.of(
                        new DeleteRecordsTopic()
                                .setName("t")
                                .setPartitions(List.of(
                                        before(0, 12), before(1, -1), before(2, 21), before(3, -2), before(9, 12))),
                        new DeleteRecordsTopic().setName("__consumer_offsets").setPartitions(List.of(before(0, 1)))));

        DeleteRecordsResponseData response = Asking.ask(delete, request, 2);

        assertThat(response.topics().find("t").partitions())
                .extracting(result -> result.lowWatermark(), result -> ErrorCode.of(result.errorCode()))
                .containsExactly(
                        tuple(12L, ErrorCode.NONE),
                        tuple(20L, ErrorCode.NONE),
                        tuple(-1L, ErrorCode.OFFSET_OUT_OF_RANGE),
                        tuple(-1L, ErrorCode.OFFSET_OUT_OF_RANGE),
                        tuple(-1L, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
        assertThat(response.topics().find("__consumer_offsets").partitions())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(ErrorCode.INVALID_TOPIC_EXCEPTION);
    }

    private static DeleteRecordsPartition before(int partition, long offset) {
        return new DeleteRecordsPartition().setPartitionIndex(partition).setOffset(offset);
    }

    @Test
    void epochsEndWhereTheLeaderSaysOnceTheClientsEpochIsChecked() throws Exception {
        OffsetForLeaderEpochHandler handler = new OffsetForLeaderEpochHandler(partitions, FakeAuthorization.open());
        for (int i = 0; i < 3; i++) {
            partitions.lead("t", i);
        }
        OffsetForLeaderEpochRequestData request = new OffsetForLeaderEpochRequestData();
        request.topics()
                .add(new OffsetForLeaderTopic()
                        .setTopic("t")
                        .setPartitions(List.of(epoch(0, 4, 3), epoch(1, -1, 1), epoch(2, 3, 3), epoch(9, -1, 3))));

        OffsetForLeaderEpochResponseData response = Asking.ask(handler, request, 4);

        assertThat(response.topics().find("t").partitions())
                .extracting(end -> ErrorCode.of(end.errorCode()), end -> end.leaderEpoch(), end -> end.endOffset())
                .containsExactly(
                        tuple(ErrorCode.NONE, 3, 15L),
                        tuple(ErrorCode.NONE, -1, -1L),
                        tuple(ErrorCode.FENCED_LEADER_EPOCH, -1, -1L),
                        tuple(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, -1L));
    }

    private static OffsetForLeaderPartition epoch(int partition, int current, int asked) {
        return new OffsetForLeaderPartition()
                .setPartition(partition)
                .setCurrentLeaderEpoch(current)
                .setLeaderEpoch(asked);
    }

    @Test
    void replicasAreMovedToOtherLogDirsAndAReplicaThatIsNotHereIsRefused() throws Exception {
        AlterReplicaLogDirsHandler handler = new AlterReplicaLogDirsHandler(partitions, FakeAuthorization.open());
        partitions.lead("t", 0);
        AlterReplicaLogDir dir = new AlterReplicaLogDir().setPath("mvstore:/data");
        dir.topics().add(new AlterReplicaLogDirTopic().setName("t").setPartitions(List.of(0, 1)));
        AlterReplicaLogDirsRequestData request = new AlterReplicaLogDirsRequestData();
        request.dirs().add(dir);

        AlterReplicaLogDirsResponseData answer = Asking.ask(handler, request, 2);

        assertThat(partitions.moved).containsEntry(new TopicPartition("t", 0), "mvstore:/data");
        assertThat(answer.results()).hasSize(1);
        assertThat(answer.results().get(0).topicName()).isEqualTo("t");
        assertThat(answer.results().get(0).partitions())
                .extracting(one -> one.partitionIndex(), one -> ErrorCode.of(one.errorCode()))
                .containsExactlyInAnyOrder(tuple(0, ErrorCode.NONE), tuple(1, ErrorCode.REPLICA_NOT_AVAILABLE));
    }

    @Test
    void everyEngineIsALogDirWithItsReplicas() throws Exception {
        DescribeLogDirsHandler handler = new DescribeLogDirsHandler(partitions, FakeAuthorization.open());
        partitions.lead("t", 0);
        partitions.lead("t", 1);
        partitions.lead("other", 0);
        DescribeLogDirsRequestData some = new DescribeLogDirsRequestData();
        some.topics()
                .add(new DescribeLogDirsRequestData.DescribableLogDirTopic()
                        .setTopic("t")
                        .setPartitions(List.of(1)));

        DescribeLogDirsResponseData all = Asking.ask(handler, new DescribeLogDirsRequestData().setTopics(null), 4);
        DescribeLogDirsResponseData filtered = Asking.ask(handler, some, 4);

        assertThat(all.results())
                .extracting(
                        dir -> dir.logDir(),
                        dir -> ErrorCode.of(dir.errorCode()),
                        dir -> dir.totalBytes(),
                        dir -> dir.usableBytes())
                .containsExactly(
                        tuple("log:/data", ErrorCode.NONE, 10_000L, 4_000L),
                        tuple("memory:", ErrorCode.KAFKA_STORAGE_ERROR, -1L, -1L));
        assertThat(all.results().get(0).topics()).hasSize(2);
        assertThat(filtered.results().get(0).topics()).hasSize(1);
        assertThat(filtered.results().get(0).topics().get(0).partitions())
                .extracting(partition -> partition.partitionIndex(), partition -> partition.partitionSize())
                .containsExactly(tuple(1, 1000L));
    }

    @Test
    void theClusterIsShownToWhoeverAsksForBrokers() throws Exception {
        DescribeClusterHandler handler =
                new DescribeClusterHandler(cluster, new FakeAdmin(cluster), FakeAuthorization.open());
        cluster.broker(8);

        DescribeClusterResponseData response =
                Asking.ask(handler, new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true), 1);
        DescribeClusterResponseData controllers =
                Asking.ask(handler, new DescribeClusterRequestData().setEndpointType((byte) 2), 1);
        DescribeClusterResponseData neither =
                Asking.ask(handler, new DescribeClusterRequestData().setEndpointType((byte) 3), 1);

        assertThat(response.clusterId()).isEqualTo("cluster");
        assertThat(response.controllerId()).isEqualTo(FakeCluster.BROKER);
        assertThat(response.brokers()).extracting(broker -> broker.brokerId()).containsExactly(7, 8);
        assertThat(response.clusterAuthorizedOperations()).isEqualTo(0b1_1111_1010_0000);
        assertThat(ErrorCode.of(controllers.errorCode())).isEqualTo(ErrorCode.MISMATCHED_ENDPOINT_TYPE);
        assertThat(ErrorCode.of(neither.errorCode())).isEqualTo(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE);
    }

    @Test
    void brokersThatAreAwayAreShownAsFencedToWhoeverAsks() throws Exception {
        DescribeClusterHandler handler =
                new DescribeClusterHandler(cluster, new FakeAdmin(cluster), FakeAuthorization.open());
        cluster.broker(8).apply(new MetadataRecord.BrokerGone(8, 8));

        DescribeClusterResponseData live = Asking.ask(handler, new DescribeClusterRequestData(), 2);
        DescribeClusterResponseData all =
                Asking.ask(handler, new DescribeClusterRequestData().setIncludeFencedBrokers(true), 2);

        assertThat(live.brokers()).extracting(broker -> broker.brokerId()).containsExactly(7);
        assertThat(all.brokers())
                .extracting(broker -> broker.brokerId(), broker -> broker.isFenced())
                .containsExactly(tuple(7, false), tuple(8, true));
    }

    @Test
    void aChangedReplicationFactorIsRefusedWhereItIsNotAllowed() throws Exception {
        FakeAdmin admin = new FakeAdmin(cluster);
        AlterPartitionReassignmentsHandler handler =
                new AlterPartitionReassignmentsHandler(admin, cluster, deadlines, FakeAuthorization.open());
        cluster.topic("t", 3);
        AlterPartitionReassignmentsRequestData request = new AlterPartitionReassignmentsRequestData()
                .setAllowReplicationFactorChange(false)
                .setTimeoutMs(1000)
                .setTopics(List.of(new ReassignableTopic()
                        .setName("t")
                        .setPartitions(List.of(
                                new ReassignablePartition().setPartitionIndex(0).setReplicas(List.of(8)),
                                new ReassignablePartition().setPartitionIndex(1).setReplicas(List.of(7, 8)),
                                new ReassignablePartition().setPartitionIndex(2).setReplicas(null)))));

        AlterPartitionReassignmentsResponseData response = Asking.ask(handler, request, 1);

        assertThat(response.allowReplicationFactorChange()).isFalse();
        assertThat(response.responses().get(0).partitions())
                .extracting(partition -> ErrorCode.of(partition.errorCode()), partition -> partition.errorMessage())
                .containsExactly(
                        tuple(ErrorCode.NONE, null),
                        tuple(ErrorCode.INVALID_REPLICATION_FACTOR, "The replication factor is changed from 1 to 2"),
                        tuple(ErrorCode.NONE, null));
    }
}
