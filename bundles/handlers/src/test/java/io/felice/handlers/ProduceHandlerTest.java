package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.RecordError;
import io.felice.api.partition.Partition;
import io.felice.protocol.CloseConnection;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;

class ProduceHandlerTest {
    private static final int LATEST = 11;

    private final FakeCluster cluster = new FakeCluster();
    private final FakePartitions partitions = new FakePartitions();
    private final ProduceHandler handler = new ProduceHandler(partitions, cluster, FakeAuthorization.open());

    @Test
    void bytesGoToThePartitionAsTheyCame() throws Exception {
        FakePartition partition = partitions.lead("t", 0);
        MemoryRecords records = ValidRequests.records();

        PartitionProduceResponse answer = only(produce(-1, "t", part(0, records)));

        assertThat(partition.appended).containsExactly(records.buffer());
        assertThat(partition.acks).containsExactly(Partition.Acks.ALL);
        assertThat(answer.errorCode()).isZero();
        assertThat(answer.baseOffset()).isEqualTo(20);
        assertThat(answer.logStartOffset()).isEqualTo(10);
        assertThat(answer.logAppendTimeMs()).isEqualTo(-1);
    }

    @Test
    void onePartitionsErrorIsItsOwn() throws Exception {
        partitions.lead("t", 0);
        partitions.fail("t", 1, ErrorCode.KAFKA_STORAGE_ERROR);
        partitions.lead("t", 2).answer(failure(ErrorCode.CORRUPT_MESSAGE));

        ProduceResponseData response = produce(1, "t", part(0), part(1), part(2), part(3));

        assertThat(errors(response))
                .containsExactly(
                        ErrorCode.NONE,
                        ErrorCode.KAFKA_STORAGE_ERROR,
                        ErrorCode.CORRUPT_MESSAGE,
                        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void aRefusedBatchNamesTheRecordsItWasRefusedFor() throws Exception {
        List<RecordError> records = List.of(new RecordError(2, "too old"), new RecordError(5, null));
        FeliceException refused = ErrorCode.INVALID_TIMESTAMP.because("Two records are too old", records);
        partitions.lead("t", 0).answer(CompletableFuture.failedFuture(new CompletionException(refused)));

        PartitionProduceResponse answer = only(produce(1, "t", part(0)));

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.INVALID_TIMESTAMP.code());
        assertThat(answer.errorMessage()).isEqualTo("Two records are too old");
        assertThat(answer.recordErrors())
                .extracting(BatchIndexAndErrorMessage::batchIndex, BatchIndexAndErrorMessage::batchIndexErrorMessage)
                .containsExactly(tuple(2, "too old"), tuple(5, null));
    }

    @Test
    void theAnswerWaitsForTheSlowestPartition() {
        CompletableFuture<Partition.Appended> slow = new CompletableFuture<>();
        partitions.lead("t", 0).answer(slow);
        partitions.lead("t", 1);
        ProduceRequestData request = request(-1, "t", part(0), part(1));

        CompletionStage<ProduceResponseData> answer = handler.handle(request, Asking.context(request, LATEST));

        assertThat(answer.toCompletableFuture()).isNotDone();
        slow.complete(new Partition.Appended(5, 5, -1, 0));
        assertThat(answer.toCompletableFuture()).isCompleted();
    }

    @Test
    void withoutAcksThereIsNoAnswer() throws Exception {
        FakePartition partition = partitions.lead("t", 0);

        assertThat(produce(0, "t", part(0))).isNull();

        assertThat(partition.acks).containsExactly(Partition.Acks.LEADER);
    }

    @Test
    void withoutAcksAnErrorClosesTheConnection() {
        partitions.lead("t", 0);

        assertThatThrownBy(() -> produce(0, "t", part(0), part(1))).hasCauseInstanceOf(CloseConnection.class);
    }

    @Test
    void anUnknownLevelOfAcksIsRefusedForEveryPartition() throws Exception {
        FakePartition partition = partitions.lead("t", 0);

        ProduceResponseData response = produce(2, "t", part(0), part(1));

        assertThat(errors(response)).containsOnly(ErrorCode.INVALID_REQUIRED_ACKS);
        assertThat(partition.appended).isEmpty();
    }

    @Test
    void thePartitionLearnsOfClientsThatAreTooOldForZstd() throws Exception {
        FakePartition partition = partitions.lead("t", 0);

        Asking.ask(handler, request(1, "t", part(0)), 6);
        Asking.ask(handler, request(1, "t", part(0)), 7);

        assertThat(partition.origins).containsExactly(Partition.Origin.CLIENT_BEFORE_ZSTD, Partition.Origin.CLIENT);
    }

    @Test
    void clientsDoNotWriteToInternalTopics() throws Exception {
        FakePartition partition = partitions.lead("__consumer_offsets", 0);

        ProduceResponseData response = produce(1, "__consumer_offsets", part(0));

        assertThat(errors(response)).containsExactly(ErrorCode.INVALID_TOPIC_EXCEPTION);
        assertThat(partition.appended).isEmpty();
    }

    @Test
    void aPartitionWithoutABatchIsRefused() throws Exception {
        partitions.lead("t", 0);
        partitions.lead("t", 1);

        ProduceResponseData response = produce(1, "t", part(0, null), part(1, null));

        assertThat(errors(response)).containsOnly(ErrorCode.INVALID_RECORD);
    }

    @Test
    void whoAsksTheWrongBrokerHearsOfTheLeaderFromVersionTenOn() throws Exception {
        cluster.topic("t", 1);
        partitions.fail("t", 0, ErrorCode.NOT_LEADER_OR_FOLLOWER);
        ProduceRequestData request = request(1, "t", part(0));

        ProduceResponseData before = Asking.ask(handler, request, 9);
        ProduceResponseData since = Asking.ask(handler, request, 10);

        assertThat(only(before).currentLeader().leaderId()).isEqualTo(-1);
        assertThat(only(since).currentLeader().leaderId()).isEqualTo(FakeCluster.BROKER);
        assertThat(since.nodeEndpoints().find(FakeCluster.BROKER).host()).isEqualTo("inside");
    }

    @Test
    void fromVersionThirteenOnTopicsAreKnownByTheirIds() throws Exception {
        FakePartition partition = partitions.lead("t", 0);
        UUID id = cluster.topic("t", 1);

        TopicProduceResponse known =
                produceById(TopicIds.of(id)).responses().iterator().next();
        ProduceResponseData unknown = produceById(new Uuid(9, 9));

        assertThat(partition.appended).hasSize(1);
        assertThat(known.topicId()).isEqualTo(TopicIds.of(id));
        assertThat(known.partitionResponses().get(0).errorCode()).isZero();
        assertThat(errors(unknown)).containsExactly(ErrorCode.UNKNOWN_TOPIC_ID);
    }

    @Test
    void anIdIsNoWayIntoAnInternalTopic() throws Exception {
        FakePartition partition = partitions.lead("__consumer_offsets", 0);

        ProduceResponseData response = produceById(TopicIds.of(cluster.topic("__consumer_offsets", 1)));

        assertThat(errors(response)).containsExactly(ErrorCode.INVALID_TOPIC_EXCEPTION);
        assertThat(partition.appended).isEmpty();
    }

    @Test
    void whoAsksTheWrongBrokerByAnIdHearsOfTheLeader() throws Exception {
        UUID id = cluster.topic("t", 1);
        partitions.fail("t", 0, ErrorCode.NOT_LEADER_OR_FOLLOWER);

        ProduceResponseData response = produceById(TopicIds.of(id));

        assertThat(only(response).currentLeader().leaderId()).isEqualTo(FakeCluster.BROKER);
    }

    private ProduceResponseData produceById(Uuid topicId) throws Exception {
        ProduceRequestData request = new ProduceRequestData().setAcks((short) 1).setTimeoutMs(1000);
        request.topicData()
                .add(new ProduceRequestData.TopicProduceData()
                        .setTopicId(topicId)
                        .setPartitionData(List.of(part(0))));
        return Asking.ask(handler, request, 13);
    }

    @Test
    void whileALogIsOpenedProducersAskAgain() throws Exception {
        partitions.fail("t", 0, ErrorCode.LEADER_NOT_AVAILABLE);

        assertThat(errors(produce(1, "t", part(0)))).containsExactly(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void anAccidentIsTheOnePartitionsServerError() throws Exception {
        partitions.lead("t", 0).answer(CompletableFuture.failedFuture(new IllegalStateException("an accident")));
        partitions.lead("t", 1);

        ProduceResponseData response = produce(1, "t", part(0), part(1));

        assertThat(errors(response)).containsExactly(ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.NONE);
        assertThat(only(response).errorMessage()).isNull();
    }

    private ProduceResponseData produce(int acks, String topic, PartitionProduceData... parts) throws Exception {
        return Asking.ask(handler, request(acks, topic, parts), LATEST);
    }

    private static ProduceRequestData request(int acks, String topic, PartitionProduceData... parts) {
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) acks).setTimeoutMs(1000);
        request.topicData()
                .add(new ProduceRequestData.TopicProduceData().setName(topic).setPartitionData(List.of(parts)));
        return request;
    }

    private static PartitionProduceData part(int index) {
        return part(index, ValidRequests.records());
    }

    private static PartitionProduceData part(int index, MemoryRecords records) {
        return new PartitionProduceData().setIndex(index).setRecords(records);
    }

    private static MemoryRecords withAttributes(int attributes) {
        ByteBuffer bytes = ValidRequests.records().buffer();
        bytes.putShort(RecordBatch.ATTRIBUTES_AT, (short) attributes);
        return MemoryRecords.readableRecords(bytes);
    }

    private static CompletionStage<Partition.Appended> failure(ErrorCode error) {
        return CompletableFuture.failedFuture(error.because("test"));
    }

    private static PartitionProduceResponse only(ProduceResponseData response) {
        return response.responses().iterator().next().partitionResponses().get(0);
    }

    private static List<ErrorCode> errors(ProduceResponseData response) {
        List<ErrorCode> errors = new ArrayList<>();
        response.responses().forEach(topic -> topic.partitionResponses()
                .forEach(partition -> errors.add(ErrorCode.of(partition.errorCode()))));
        return errors;
    }
}
