package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import java.util.List;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ListOffsetsHandlerTest {
    private static final int LATEST = 9;

    private final FakePartitions partitions = new FakePartitions();
    private final ListOffsetsHandler handler = new ListOffsetsHandler(partitions, FakeAuthorization.open());

    @BeforeEach
    void onePartition() {
        partitions.lead("t", 0);
    }

    @Test
    void theEndIsWhatTheReaderMaySee() throws Exception {
        assertThat(ask(request(-1))).satisfies(is(20, -1, 4));
        assertThat(ask(request(-1).setIsolationLevel((byte) 1))).satisfies(is(18, -1, 4));
        assertThat(ask(request(-1).setReplicaId(-2))).satisfies(is(30, -1, 4));
        assertThat(ask(request(-1).setReplicaId(3))).as("a follower").satisfies(is(30, -1, 4));
    }

    @Test
    void theStartIsTheLogsStartInItsEpoch() throws Exception {
        assertThat(ask(request(-2))).satisfies(is(10, -1, 3));
        assertThat(ask(request(-4))).satisfies(is(10, -1, 3));
    }

    @Test
    void aTimeIsFoundOrNot() throws Exception {
        assertThat(ask(request(900))).satisfies(is(12, 1000, 3));
        assertThat(ask(request(2000))).satisfies(is(-1, -1, -1));
    }

    @Test
    void theLargestTimeIsFound() throws Exception {
        assertThat(ask(request(-3))).satisfies(is(13, 1000, 3));
    }

    @Test
    void nothingIsTiered() throws Exception {
        assertThat(ask(request(-5))).satisfies(is(-1, -1, -1));
        assertThat(error(request(-6), 11)).isEqualTo(ErrorCode.NONE);
        assertThat(error(request(-6), 10)).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
    }

    @Test
    void aNameNewerThanTheVersionIsRefused() throws Exception {
        assertThat(error(request(-3), 6)).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
        assertThat(error(request(-4), 7)).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
        assertThat(error(request(-5), 8)).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
        assertThat(error(request(-6), 9)).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
    }

    @Test
    void theClientsEpochIsChecked() throws Exception {
        ListOffsetsRequestData old = request(-1);
        old.topics().get(0).partitions().get(0).setCurrentLeaderEpoch(3);
        ListOffsetsRequestData young = request(-1);
        young.topics().get(0).partitions().get(0).setCurrentLeaderEpoch(5);

        assertThat(error(old, LATEST)).isEqualTo(ErrorCode.FENCED_LEADER_EPOCH);
        assertThat(error(young, LATEST)).isEqualTo(ErrorCode.UNKNOWN_LEADER_EPOCH);
    }

    @Test
    void aPartitionAskedForTwiceIsRefusedBothTimes() throws Exception {
        ListOffsetsRequestData request = new ListOffsetsRequestData()
                .setTopics(List.of(
                        new ListOffsetsTopic().setName("t").setPartitions(List.of(partition(-1), partition(-2)))));

        assertThat(Asking.ask(handler, request, LATEST).topics().get(0).partitions())
                .extracting(answer -> ErrorCode.of(answer.errorCode()))
                .containsExactly(ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST);
    }

    private ErrorCode error(ListOffsetsRequestData request, int version) throws Exception {
        return ErrorCode.of(Asking.ask(handler, request, version)
                .topics()
                .get(0)
                .partitions()
                .get(0)
                .errorCode());
    }

    private ListOffsetsPartitionResponse ask(ListOffsetsRequestData request) throws Exception {
        return Asking.ask(handler, request, LATEST).topics().get(0).partitions().get(0);
    }

    private static java.util.function.Consumer<ListOffsetsPartitionResponse> is(long offset, long time, int epoch) {
        return answer -> {
            assertThat(answer.errorCode()).isZero();
            assertThat(answer.offset()).isEqualTo(offset);
            assertThat(answer.timestamp()).isEqualTo(time);
            assertThat(answer.leaderEpoch()).isEqualTo(epoch);
        };
    }

    private static ListOffsetsRequestData request(long timestamp) {
        return new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsTopic().setName("t").setPartitions(List.of(partition(timestamp)))));
    }

    private static ListOffsetsPartition partition(long timestamp) {
        return new ListOffsetsPartition()
                .setPartitionIndex(0)
                .setCurrentLeaderEpoch(-1)
                .setTimestamp(timestamp);
    }
}
