package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.config.ConfigResource;
import io.felice.api.partition.FetchPlan;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.RequestContext;
import io.felice.protocol.ResponseFrame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FetchHandlerTest {
    private static final int BY_NAME = 12;
    private static final int BY_ID = 17;
    private static final byte[] BATCH = {1, 2, 3};
    private static final long EVICTION_MS = 1000;

    private final AtomicLong nowMs = new AtomicLong(10_000);
    private final AtomicInteger nextId = new AtomicInteger(100);
    private final FakeCluster cluster = new FakeCluster();
    private final FakePartitions partitions = new FakePartitions();
    private final FakeConfigs configs = new FakeConfigs(cluster);
    private final FetchSessions sessions =
            new FetchSessions(new FetchSessions.Limits(2, 10, EVICTION_MS), nowMs::get, nextId::incrementAndGet);
    private final FetchHandler handler =
            new FetchHandler(partitions, cluster, configs, FakeAuthorization.open(), sessions);

    private UUID topicId;

    @BeforeEach
    void topicWithThreePartitions() {
        topicId = cluster.topic("t", 3);
        for (int i = 0; i < 3; i++) {
            partitions.lead("t", i);
        }
    }

    @Test
    void thePlanIsWhatWasAskedWithinTheBrokersLimit() throws Exception {
        configs.with("fetch.max.bytes", "5000");
        FetchRequestData request = full(0, 2)
                .setMinBytes(6000)
                .setMaxBytes(1_000_000)
                .setMaxWaitMs(250)
                .setIsolationLevel((byte) 1);

        Asking.ask(handler, request, BY_NAME);

        FetchPlan plan = partitions.plans.get(0);
        assertThat(plan.wants())
                .containsExactly(
                        new FetchPlan.Want(new TopicPartition("t", 0), 10, 1000, -1, -1),
                        new FetchPlan.Want(new TopicPartition("t", 2), 10, 1000, -1, -1));
        assertThat(plan.maxBytes()).isEqualTo(5000);
        assertThat(plan.minBytes()).isEqualTo(5000);
        assertThat(plan.maxWait()).isEqualTo(Duration.ofMillis(250));
        assertThat(plan.readCommitted()).isTrue();
    }

    @Test
    void theIdOfAReplicaIsHandedOnFromEitherFieldAndOthersAreConsumers() throws Exception {
        Asking.ask(handler, full(0).setReplicaId(3), BY_NAME);
        FetchRequestData byId = full(0).setReplicaState(new FetchRequestData.ReplicaState().setReplicaId(4));
        byId.topics().get(0).setTopicId(TopicIds.of(topicId));
        Asking.ask(handler, byId, BY_ID);
        Asking.ask(handler, full(0).setReplicaId(-2), BY_NAME);

        assertThat(partitions.plans).extracting(FetchPlan::replicaId).containsExactly(3, 4, FetchPlan.CONSUMER);
    }

    /** KIP-903: without it a fetch of an ended process could not be told from one of its successor. */
    @Test
    void theBrokerEpochAndTheLogStartOfAReplicaAreHandedOn() throws Exception {
        FetchRequestData request = full(0).setReplicaState(
                        new FetchRequestData.ReplicaState().setReplicaId(4).setReplicaEpoch(77));
        request.topics()
                .get(0)
                .setTopicId(TopicIds.of(topicId))
                .partitions()
                .get(0)
                .setLogStartOffset(3);

        Asking.ask(handler, request, BY_ID);

        assertThat(partitions.plans.get(0).replicaEpoch()).isEqualTo(77);
        assertThat(partitions.plans.get(0).wants().get(0).logStartOffset()).isEqualTo(3);
    }

    /** KIP-392; a consumer of an older version would not understand the answer of a follower (KAFKA-9004). */
    @Test
    void aConsumerIsToldWhichReplicaIsNearItFromTheVersionThatCanReadFromIt() throws Exception {
        partitions.prefer("t", 0, 5);

        FetchResponseData older = Asking.ask(handler, full(0).setRackId("east"), 10);
        FetchResponseData newer = Asking.ask(handler, full(0).setRackId("east"), 11);

        assertThat(partitions.plans).extracting(FetchPlan::rack).containsExactly(null, "east");
        assertThat(only(older).preferredReadReplica()).isEqualTo(-1);
        assertThat(only(newer).preferredReadReplica()).isEqualTo(5);
    }

    @Test
    void recordsStayPinnedUntilTheResponseIsSent() throws Exception {
        partitions.put("t", 0, BATCH, 25);

        FetchResponseData response = Asking.ask(handler, full(0), BY_NAME);

        assertThat(only(response).records()).isInstanceOf(PinnedRecords.class);
        assertThat(only(response).highWatermark()).isEqualTo(25);
        assertThat(partitions.pinned).hasValue(1);
        ResponseFrame frame = KafkaMessages.encode((short) 1, (short) BY_NAME, 1, response);
        frame.close();
        assertThat(partitions.pinned).hasValue(0);
    }

    @Test
    void aConsumerThatIsTooOldForZstdIsRefusedWhereTheTopicIsStoredAsZstd() throws Exception {
        partitions.put("t", 0, BATCH, 25);
        cluster.config(ConfigResource.topic("t"), "compression.type", "zstd");

        PartitionData old = only(Asking.ask(handler, full(0), 9));
        partitions.put("t", 0, BATCH, 25);
        PartitionData recent = only(Asking.ask(handler, full(0), 10));

        assertThat(ErrorCode.of(old.errorCode())).isEqualTo(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
        assertThat(old.records().sizeInBytes()).isZero();
        assertThat(recent.records().sizeInBytes()).isEqualTo(BATCH.length);
        assertThat(partitions.pinned).as("of the one that was read").hasValue(1);
    }

    @Test
    void aSessionIsOfThePrincipalThatHasBegunIt() throws Exception {
        int id = Asking.ask(handler, full(0), BY_NAME).sessionId();
        FetchRequestData next = new FetchRequestData().setSessionId(id).setSessionEpoch(1);

        FetchResponseData stolen =
                handler.handle(next, asMallory(next)).toCompletableFuture().get(60, TimeUnit.SECONDS);
        FetchRequestData end = new FetchRequestData().setSessionId(id).setSessionEpoch(-1);
        handler.handle(end, asMallory(end)).toCompletableFuture().get(60, TimeUnit.SECONDS);

        assertThat(ErrorCode.of(stolen.errorCode())).isEqualTo(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
        assertThat(Asking.ask(handler, next, BY_NAME).errorCode()).isZero();
    }

    private static RequestContext asMallory(FetchRequestData request) {
        RequestContext context = Asking.context(request, BY_NAME);
        return new RequestContext(
                context.apiKey(),
                context.apiVersion(),
                context.correlationId(),
                context.clientId(),
                new Requester(Principal.user("mallory"), context.requester().host()),
                context.connection(),
                context.turn());
    }

    @Test
    void anErrorIsThePartitionsOwn() throws Exception {
        partitions.fail("t", 1, ErrorCode.KAFKA_STORAGE_ERROR);
        partitions.fail("t", 2, ErrorCode.LEADER_NOT_AVAILABLE);

        FetchResponseData response = Asking.ask(handler, full(0, 1, 2, 9), BY_NAME);

        assertThat(response.errorCode()).isZero();
        assertThat(partitionsOf(response))
                .extracting(partition -> ErrorCode.of(partition.errorCode()))
                .containsExactly(
                        ErrorCode.NONE,
                        ErrorCode.KAFKA_STORAGE_ERROR,
                        ErrorCode.NOT_LEADER_OR_FOLLOWER,
                        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void fromVersionThirteenOnTopicsAreKnownByTheirIds() throws Exception {
        FetchRequestData request = full(0);
        request.topics().get(0).setTopicId(TopicIds.of(topicId));
        request.topics().add(topic("", new Uuid(8, 8), 0));

        FetchResponseData response = Asking.ask(handler, request, BY_ID);

        assertThat(response.responses())
                .extracting(topic -> topic.topicId())
                .containsExactly(TopicIds.of(topicId), new Uuid(8, 8));
        assertThat(partitionsOf(response))
                .extracting(partition -> ErrorCode.of(partition.errorCode()))
                .containsExactly(ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_ID);
    }

    @Test
    void aReaderOfCommittedRecordsHearsOfNoAbortedTransactions() throws Exception {
        PartitionData committed = only(Asking.ask(handler, full(0).setIsolationLevel((byte) 1), BY_NAME));
        PartitionData uncommitted = only(Asking.ask(handler, full(0), BY_NAME));

        assertThat(committed.abortedTransactions()).isEmpty();
        assertThat(committed.lastStableOffset()).isEqualTo(18);
        assertThat(uncommitted.abortedTransactions()).isNull();
    }

    @Test
    void whoAsksTheWrongBrokerHearsOfTheLeaderFromVersionSixteenOn() throws Exception {
        partitions.fail("t", 0, ErrorCode.NOT_LEADER_OR_FOLLOWER);
        FetchRequestData request = full(0);
        request.topics().get(0).setTopicId(TopicIds.of(topicId));

        FetchResponseData response = Asking.ask(handler, request, 16);

        assertThat(only(response).currentLeader().leaderId()).isEqualTo(FakeCluster.BROKER);
        assertThat(response.nodeEndpoints().find(FakeCluster.BROKER).port()).isEqualTo(9092);
    }

    @Test
    void aFullFetchBeginsASession() throws Exception {
        FetchResponseData response = Asking.ask(handler, full(0, 1), BY_NAME);

        assertThat(response.sessionId()).isEqualTo(101);
        assertThat(sessions.size()).isOne();
    }

    @Test
    void clientsWithoutSessionsGetNone() throws Exception {
        FetchResponseData response = Asking.ask(handler, full(0).setSessionEpoch(-1), 4);

        assertThat(response.sessionId()).isZero();
        assertThat(sessions.size()).isZero();
    }

    @Test
    void anIncrementalFetchAsksForEverythingAndTellsOnlyNews() throws Exception {
        int session = Asking.ask(handler, full(0, 1, 2), BY_NAME).sessionId();
        partitions.put("t", 1, BATCH, 25);

        FetchResponseData response = Asking.ask(handler, incremental(session, 1), BY_NAME);

        assertThat(partitions.plans.get(1).wants()).hasSize(3);
        assertThat(response.sessionId()).isEqualTo(session);
        assertThat(partitionsOf(response))
                .extracting(PartitionData::partitionIndex)
                .containsExactly(1);
    }

    @Test
    void aNewHighWatermarkIsNews() throws Exception {
        int session = Asking.ask(handler, full(0, 1), BY_NAME).sessionId();
        partitions.put("t", 0, new byte[0], 26);

        FetchResponseData changed = Asking.ask(handler, incremental(session, 1), BY_NAME);
        FetchResponseData unchanged = Asking.ask(handler, incremental(session, 2), BY_NAME);

        assertThat(partitionsOf(changed))
                .extracting(PartitionData::partitionIndex)
                .containsExactly(0);
        assertThat(partitionsOf(unchanged)).isEmpty();
    }

    @Test
    void anErrorIsToldAsLongAsItLastsAndItsEndOnce() throws Exception {
        int session = Asking.ask(handler, full(0, 1), BY_NAME).sessionId();
        partitions.fail("t", 0, ErrorCode.KAFKA_STORAGE_ERROR);
        assertThat(only(Asking.ask(handler, incremental(session, 1), BY_NAME)).errorCode())
                .isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR.code());
        assertThat(only(Asking.ask(handler, incremental(session, 2), BY_NAME)).errorCode())
                .isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR.code());
        partitions.lead("t", 0);

        assertThat(only(Asking.ask(handler, incremental(session, 3), BY_NAME)).errorCode())
                .isZero();
        assertThat(partitionsOf(Asking.ask(handler, incremental(session, 4), BY_NAME)))
                .isEmpty();
    }

    @Test
    void anIncrementalFetchMovesAddsAndForgetsPartitions() throws Exception {
        int session = Asking.ask(handler, full(0, 1), BY_NAME).sessionId();
        FetchRequestData changes = incremental(session, 1, 1, 2);
        changes.topics().get(0).partitions().get(0).setFetchOffset(17);
        changes.forgottenTopicsData().add(new ForgottenTopic().setTopic("t").setPartitions(List.of(0)));

        Asking.ask(handler, changes, BY_NAME);

        assertThat(partitions.plans.get(1).wants())
                .extracting(FetchPlan.Want::partition, FetchPlan.Want::offset)
                .containsExactly(tuple(new TopicPartition("t", 1), 17L), tuple(new TopicPartition("t", 2), 10L));
    }

    @Test
    void whoGotRecordsStandsAtTheEndOfTheNextPlan() throws Exception {
        int session = Asking.ask(handler, full(0, 1, 2), BY_NAME).sessionId();
        partitions.put("t", 0, BATCH, 25);
        Asking.ask(handler, incremental(session, 1), BY_NAME);

        Asking.ask(handler, incremental(session, 2), BY_NAME);

        assertThat(partitions.plans.get(2).wants())
                .extracting(want -> want.partition().partition())
                .containsExactly(1, 2, 0);
    }

    @Test
    void aSessionNobodyKnowsIsAnErrorOfTheWholeFetch() throws Exception {
        FetchResponseData response = Asking.ask(handler, incremental(4711, 1), BY_NAME);

        assertThat(ErrorCode.of(response.errorCode())).isEqualTo(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
        assertThat(response.sessionId()).isZero();
    }

    @Test
    void anEpochOutOfOrderIsAnErrorOfTheWholeFetch() throws Exception {
        int session = Asking.ask(handler, full(0), BY_NAME).sessionId();

        FetchResponseData response = Asking.ask(handler, incremental(session, 2), BY_NAME);

        assertThat(ErrorCode.of(response.errorCode())).isEqualTo(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    }

    @Test
    void aSessionDoesNotChangeBetweenNamesAndIds() throws Exception {
        int session = Asking.ask(handler, full(0), BY_NAME).sessionId();

        FetchResponseData response = Asking.ask(handler, incremental(session, 1), BY_ID);

        assertThat(ErrorCode.of(response.errorCode())).isEqualTo(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    }

    @Test
    void aDeletedTopicIsAnUnknownIdInItsSession() throws Exception {
        FetchRequestData request = full(0);
        request.topics().get(0).setTopicId(TopicIds.of(topicId));
        int session = Asking.ask(handler, request, BY_ID).sessionId();
        cluster.delete(topicId);

        FetchResponseData gone = Asking.ask(handler, incremental(session, 1), BY_ID);

        assertThat(ErrorCode.of(only(gone).errorCode())).isEqualTo(ErrorCode.UNKNOWN_TOPIC_ID);
        assertThat(only(gone).records().sizeInBytes()).isZero();
    }

    @Test
    void theFinalFetchEndsTheSession() throws Exception {
        int session = Asking.ask(handler, full(0), BY_NAME).sessionId();

        FetchResponseData response =
                Asking.ask(handler, full(0).setSessionId(session).setSessionEpoch(-1), BY_NAME);

        assertThat(response.sessionId()).isZero();
        assertThat(sessions.size()).isZero();
    }

    @Test
    void aSessionLeftWithoutPartitionsEnds() throws Exception {
        int session = Asking.ask(handler, full(0), BY_NAME).sessionId();
        FetchRequestData nothing = incremental(session, 1);
        nothing.forgottenTopicsData().add(new ForgottenTopic().setTopic("t").setPartitions(List.of(0)));

        FetchResponseData response = Asking.ask(handler, nothing, BY_NAME);

        assertThat(response.sessionId()).isZero();
        assertThat(sessions.size()).isZero();
    }

    @Test
    void aFetchOvertakenInItsSessionGivesItsPinsBack() throws Exception {
        int session = Asking.ask(handler, full(0), BY_NAME).sessionId();
        CompletableFuture<Void> gate = new CompletableFuture<>();
        partitions.waitFor(gate);
        FetchRequestData slow = incremental(session, 1);
        CompletionStage<FetchResponseData> overtaken = handler.handle(slow, Asking.context(slow, BY_NAME));
        partitions.waitFor(CompletableFuture.completedFuture(null));
        Asking.ask(handler, incremental(session, 2), BY_NAME);
        partitions.put("t", 0, BATCH, 25);

        gate.complete(null);

        FetchResponseData response = overtaken.toCompletableFuture().join();
        assertThat(ErrorCode.of(response.errorCode())).isEqualTo(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
        assertThat(partitions.pinned).hasValue(0);
    }

    @Test
    void whenSessionsAreFullTheIdleOneGivesWay() throws Exception {
        int idle = Asking.ask(handler, full(0), BY_NAME).sessionId();
        int busy = Asking.ask(handler, full(0), BY_NAME).sessionId();
        assertThat(Asking.ask(handler, full(0), BY_NAME).sessionId()).isZero();
        nowMs.addAndGet(EVICTION_MS + 1);
        Asking.ask(handler, incremental(busy, 1), BY_NAME);

        int fresh = Asking.ask(handler, full(0), BY_NAME).sessionId();

        assertThat(fresh).isNotZero();
        assertThat(sessions.find(idle, Principal.ANONYMOUS)).isEmpty();
        assertThat(sessions.find(busy, Principal.ANONYMOUS)).isPresent();
    }

    @Test
    void whenAllAreBusyALargerOneTakesTheRoomOfASmallerOldOne() throws Exception {
        int small = Asking.ask(handler, full(0), BY_NAME).sessionId();
        int large = Asking.ask(handler, full(0, 1, 2), BY_NAME).sessionId();
        nowMs.addAndGet(EVICTION_MS + 1);
        Asking.ask(handler, incremental(small, 1), BY_NAME);
        Asking.ask(handler, incremental(large, 1), BY_NAME);

        assertThat(Asking.ask(handler, full(0), BY_NAME).sessionId()).isZero();
        assertThat(Asking.ask(handler, full(0, 1), BY_NAME).sessionId()).isNotZero();
        assertThat(sessions.find(small, Principal.ANONYMOUS)).isEmpty();
        assertThat(sessions.find(large, Principal.ANONYMOUS)).isPresent();
    }

    @Test
    void sessionsRememberOnlySoManyPartitions() throws Exception {
        int[] many = IntStream.range(0, 11).toArray();

        FetchResponseData response = Asking.ask(handler, full(many), BY_NAME);

        assertThat(response.sessionId()).isZero();
        assertThat(partitionsOf(response)).hasSize(11);
    }

    @Test
    void aSessionThatGrowsBeyondTheLimitEndsAndTheFetchIsAnsweredWhole() throws Exception {
        int session = Asking.ask(handler, full(0, 1), BY_NAME).sessionId();
        int[] nine = IntStream.range(2, 11).toArray();

        FetchResponseData response = Asking.ask(handler, incremental(session, 1, nine), BY_NAME);

        assertThat(response.sessionId()).isZero();
        assertThat(partitionsOf(response)).hasSize(11);
        assertThat(sessions.size()).isZero();
        assertThat(handler.tables().get(0).cell("fetch.session.partitions", "used"))
                .contains(0L);
        assertThat(handler.tables().get(0).cell("fetch.session.partitions", "limit"))
                .contains(10L);
    }

    private static FetchRequestData full(int... partitions) {
        FetchRequestData request = new FetchRequestData().setMaxWaitMs(10).setSessionEpoch(0);
        request.topics().add(topic("t", Uuid.ZERO_UUID, partitions));
        return request;
    }

    private static FetchRequestData incremental(int session, int epoch, int... partitions) {
        FetchRequestData request =
                new FetchRequestData().setMaxWaitMs(10).setSessionId(session).setSessionEpoch(epoch);
        if (partitions.length > 0) {
            request.topics().add(topic("t", Uuid.ZERO_UUID, partitions));
        }
        return request;
    }

    private static FetchTopic topic(String name, Uuid id, int... partitions) {
        List<FetchPartition> wanted = new ArrayList<>();
        Arrays.stream(partitions).mapToObj(ValidRequests::fetchPartition).forEach(wanted::add);
        return new FetchTopic().setTopic(name).setTopicId(id).setPartitions(wanted);
    }

    private static List<PartitionData> partitionsOf(FetchResponseData response) {
        return response.responses().stream()
                .flatMap(topic -> topic.partitions().stream())
                .toList();
    }

    private static PartitionData only(FetchResponseData response) {
        List<PartitionData> all = partitionsOf(response);
        assertThat(all).hasSize(1);
        return all.get(0);
    }
}
