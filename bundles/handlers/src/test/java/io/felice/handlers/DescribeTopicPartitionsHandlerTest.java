package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.PartitionState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.junit.jupiter.api.Test;

class DescribeTopicPartitionsHandlerTest {
    private final FakeCluster cluster = new FakeCluster();
    private final DescribeTopicPartitionsHandler handler =
            new DescribeTopicPartitionsHandler(cluster, FakeAuthorization.open());

    @Test
    void topicsAreDescribedInOrderOfTheirNames() throws Exception {
        UUID b = cluster.topic("b", 1);
        cluster.topic("a", 2, new PartitionState(List.of(7, 8), List.of(7), List.of(), List.of(), 7, 3, 5, false));

        DescribeTopicPartitionsResponseData response = ask(100, null, "b", "c", "not/valid", "a");

        assertThat(response.topics())
                .extracting(DescribeTopicPartitionsResponseTopic::name, topic -> ErrorCode.of(topic.errorCode()))
                .containsExactly(
                        tuple("a", ErrorCode.NONE),
                        tuple("b", ErrorCode.NONE),
                        tuple("c", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
                        tuple("not/valid", ErrorCode.INVALID_TOPIC_EXCEPTION));
        assertThat(response.nextCursor()).isNull();
        assertThat(response.topics().find("b").topicId()).isEqualTo(TopicIds.of(b));
        DescribeTopicPartitionsResponsePartition partition =
                response.topics().find("a").partitions().get(1);
        assertThat(partition.partitionIndex()).isEqualTo(1);
        assertThat(partition.leaderId()).isEqualTo(7);
        assertThat(partition.leaderEpoch()).isEqualTo(3);
        assertThat(partition.replicaNodes()).containsExactly(7, 8);
        assertThat(partition.isrNodes()).containsExactly(7);
        assertThat(partition.offlineReplicas()).containsExactly(8);
        assertThat(partition.eligibleLeaderReplicas()).isEmpty();
        assertThat(partition.lastKnownElr()).isEmpty();
    }

    @Test
    void pagesFollowEachOtherWithoutAGapUntilAllIsTold() throws Exception {
        cluster.topic("a", 3);
        cluster.topic("b", 2);
        cluster.topic("c", 1);
        List<String> seen = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        Cursor cursor = null;
        do {
            DescribeTopicPartitionsResponseData page = ask(2, cursor);
            int before = seen.size();
            page.topics().forEach(topic -> topic.partitions()
                    .forEach(partition -> seen.add(topic.name() + partition.partitionIndex())));
            sizes.add(seen.size() - before);
            cursor = page.nextCursor() == null
                    ? null
                    : new Cursor()
                            .setTopicName(page.nextCursor().topicName())
                            .setPartitionIndex(page.nextCursor().partitionIndex());
        } while (cursor != null);

        assertThat(seen).containsExactly("a0", "a1", "a2", "b0", "b1", "c0");
        assertThat(sizes).containsExactly(2, 2, 2);
    }

    @Test
    void aPageHasAtLeastOnePartitionAndNoMoreThanTheLimit() throws Exception {
        cluster.topic("a", DescribeTopicPartitionsHandler.MAX_PARTITIONS + 1);

        DescribeTopicPartitionsResponseData most = ask(Integer.MAX_VALUE, null);
        DescribeTopicPartitionsResponseData least = ask(-5, null);

        assertThat(most.topics().find("a").partitions()).hasSize(DescribeTopicPartitionsHandler.MAX_PARTITIONS);
        assertThat(most.nextCursor().partitionIndex()).isEqualTo(DescribeTopicPartitionsHandler.MAX_PARTITIONS);
        assertThat(least.topics().find("a").partitions()).hasSize(1);
    }

    @Test
    void aCursorMayPointToATopicThatIsGoneAndBehindAllPartitions() throws Exception {
        cluster.topic("a", 1);
        cluster.topic("c", 1);

        DescribeTopicPartitionsResponseData gone =
                ask(10, new Cursor().setTopicName("b").setPartitionIndex(4));
        DescribeTopicPartitionsResponseData behind =
                ask(10, new Cursor().setTopicName("a").setPartitionIndex(Integer.MAX_VALUE));

        assertThat(gone.topics())
                .extracting(DescribeTopicPartitionsResponseTopic::name)
                .containsExactly("c");
        assertThat(behind.topics().find("a").partitions()).isEmpty();
        assertThat(behind.topics().find("c").partitions()).hasSize(1);
    }

    @Test
    void aCursorThatMakesNoSenseIsRefused() {
        cluster.topic("a", 1);

        assertThatThrownBy(() -> ask(10, new Cursor().setTopicName("b").setPartitionIndex(0), "a"))
                .hasRootCauseInstanceOf(FeliceException.class)
                .hasMessageContaining("topic list should contain the cursor topic: b");
        assertThatThrownBy(() -> ask(10, new Cursor().setTopicName("a").setPartitionIndex(-1)))
                .hasMessageContaining("cursor partition must be valid: -1");
    }

    private DescribeTopicPartitionsResponseData ask(int limit, Cursor cursor, String... topics) throws Exception {
        DescribeTopicPartitionsRequestData request = new DescribeTopicPartitionsRequestData()
                .setResponsePartitionLimit(limit)
                .setCursor(cursor)
                .setTopics(Arrays.stream(topics)
                        .map(name -> new TopicRequest().setName(name))
                        .toList());
        return Asking.ask(handler, request, 0);
    }
}
