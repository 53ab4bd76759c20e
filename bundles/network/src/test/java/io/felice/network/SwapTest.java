package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.storage.Records;
import io.felice.protocol.Apis;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handlers are added and removed while clients are connected. */
@Timeout(60)
class SwapTest {
    private static final int VERSION = 4;

    private TestNode node = waitingNode(Map.of());

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aRequestWaitsForTheFirstHandlerOfItsApi() throws IOException {
        try (TestClient client = node.connect()) {
            client.send(Apis.HEARTBEAT, VERSION, 1, heartbeat());
            client.send(Apis.HEARTBEAT, VERSION, 2, heartbeat());
            node.awaitNumber("network.requests", "Heartbeat", "held", 1);

            node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);

            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            assertThat(client.receiveCorrelationId()).isEqualTo(2);
        }
        node.awaitNumber("network.limits", "held.requests", "used", 0);
        node.awaitNumber("network.limits", "held.bytes", "used", 0);
        node.awaitNumber("network.requests", "Heartbeat", "held", 0);
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void apiVersionsIsAnsweredOnlyWhenAllHandlersAreThere() throws IOException {
        node.bindApiVersions();
        try (TestClient client = node.connect()) {
            client.send(Apis.API_VERSIONS, 3, 1, new ApiVersionsRequestData());
            node.awaitNumber("network.requests", "ApiVersions", "held", 1);

            node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);

            ApiVersionsResponseData answer = client.receive(Apis.API_VERSIONS, 3, 1, new ApiVersionsResponseData());
            assertThat(answer.apiKeys()).hasSize(2);
        }
    }

    @Test
    void requestsThatWaitWhileAHandlerIsReplacedAreServedInOrderByTheNextHandler() throws IOException {
        List<Integer> served = new ArrayList<>();
        RequestHandler<?, ?> old = node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);
        node.bindApiVersions();
        try (TestClient client = node.connect()) {
            client.ask(Apis.HEARTBEAT, VERSION, 1, heartbeat(), new HeartbeatResponseData());

            node.unbind(Apis.HEARTBEAT, old);
            for (int i = 2; i < 200; i++) {
                client.send(Apis.HEARTBEAT, VERSION, i, heartbeat());
            }
            node.awaitNumber("network.requests", "Heartbeat", "held", 1);
            assertThat(node.apis().ranges()).hasSize(2);
            node.bindNow(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
                served.add(context.correlationId());
                return answer(request, context);
            });

            for (int i = 2; i < 200; i++) {
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
            }
        }
        assertThat(served).hasSize(198).isSorted();
    }

    @Test
    void afterTheHoldTimeARequestGetsARetriableError() throws IOException {
        node.close();
        node = waitingNode(Map.of("held_requests_ms", 200L));
        try (TestClient client = node.connect()) {
            client.send(Apis.HEARTBEAT, VERSION, 1, heartbeat());
            client.send(Apis.HEARTBEAT, VERSION, 2, heartbeat());

            for (int i = 1; i <= 2; i++) {
                HeartbeatResponseData answer = client.receive(Apis.HEARTBEAT, VERSION, i, new HeartbeatResponseData());
                assertThat(answer.errorCode()).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE.code());
            }
        }
    }

    @Test
    void noMoreThanTheConfiguredNumberOfRequestsWait() throws IOException {
        node.close();
        node = waitingNode(Map.of("held_requests", 1));
        try (TestClient first = node.connect();
                TestClient second = node.connect()) {
            first.send(Apis.HEARTBEAT, VERSION, 1, heartbeat());
            node.awaitNumber("network.requests", "Heartbeat", "held", 1);

            HeartbeatResponseData answer =
                    second.ask(Apis.HEARTBEAT, VERSION, 1, heartbeat(), new HeartbeatResponseData());

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE.code());
            assertThat((Long) node.number("network.limits", "held.bytes", "used"))
                    .as("of the first")
                    .isPositive();
            node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);
            assertThat(first.receiveCorrelationId()).isEqualTo(1);
        }
        node.awaitNumber("network.limits", "held.requests", "used", 0);
        node.awaitNumber("network.limits", "held.bytes", "used", 0);
    }

    @Test
    void noMoreThanTheConfiguredBytesWait() throws IOException {
        node.close();
        node = waitingNode(Map.of("held_requests_bytes", 10_000L));
        try (TestClient small = node.connect();
                TestClient large = node.connect()) {
            small.send(Apis.HEARTBEAT, VERSION, 1, heartbeat());
            node.awaitNumber("network.requests", "Heartbeat", "held", 1);

            HeartbeatResponseData answer = large.ask(
                    Apis.HEARTBEAT,
                    VERSION,
                    1,
                    heartbeat().setMemberId("m".repeat(10_000)),
                    new HeartbeatResponseData());

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE.code());
            node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);
            assertThat(small.receiveCorrelationId()).isEqualTo(1);
        }
        node.awaitNumber("network.limits", "held.bytes", "used", 0);
    }

    @Test
    void aBegunRequestIsAnsweredWithoutItsRemovedHandlerAndNotBegunAgain() throws IOException {
        AtomicInteger begun = new AtomicInteger();
        RequestHandler<?, ?> old =
                node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
                    begun.incrementAndGet();
                    return TestNode.<HeartbeatResponseData>never();
                });
        try (TestClient client = node.connect()) {
            client.send(Apis.HEARTBEAT, VERSION, 1, heartbeat());
            client.send(Apis.HEARTBEAT, VERSION, 2, heartbeat());
            await().until(() -> begun.get() == 2);

            node.unbind(Apis.HEARTBEAT, old);
            node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);

            for (int i = 1; i <= 2; i++) {
                HeartbeatResponseData answer = client.receive(Apis.HEARTBEAT, VERSION, i, new HeartbeatResponseData());
                assertThat(answer.errorCode()).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE.code());
            }
            HeartbeatResponseData next =
                    client.ask(Apis.HEARTBEAT, VERSION, 3, heartbeat(), new HeartbeatResponseData());
            assertThat(next.errorCode()).isZero();
        }
        assertThat(begun).hasValue(2);
    }

    @Test
    void aBegunChangeIsAnsweredByItsStageAfterItsHandlerWasRemoved() throws IOException {
        CompletableFuture<CreateTopicsResponseData> decision = new CompletableFuture<>();
        RequestHandler<?, ?> old = node.bind(
                Apis.CREATE_TOPICS, 2, 7, (CreateTopicsRequestData request, RequestContext context) -> decision);
        try (TestClient client = node.connect()) {
            client.send(Apis.CREATE_TOPICS, 7, 1, new CreateTopicsRequestData());
            node.awaitNumber("network.requests", "CreateTopics", "in.flight", 1);

            node.unbind(Apis.CREATE_TOPICS, old);
            decision.complete(new CreateTopicsResponseData().setThrottleTimeMs(7));

            CreateTopicsResponseData answer = client.receive(Apis.CREATE_TOPICS, 7, 1, new CreateTopicsResponseData());
            assertThat(answer.throttleTimeMs()).isEqualTo(7);
        }
    }

    @Test
    void aBegunChangeThatDoesNotCompleteInTimeGetsARetriableError() throws IOException {
        RequestHandler<?, ?> old = node.bind(
                Apis.CREATE_TOPICS,
                2,
                7,
                (CreateTopicsRequestData request, RequestContext context) ->
                        TestNode.<CreateTopicsResponseData>never());
        try (TestClient client = node.connect()) {
            CreateTopicsRequestData wanted = new CreateTopicsRequestData();
            wanted.topics().add(new CreateTopicsRequestData.CreatableTopic().setName("t"));
            client.send(Apis.CREATE_TOPICS, 7, 1, wanted);
            node.awaitNumber("network.requests", "CreateTopics", "in.flight", 1);

            node.unbind(Apis.CREATE_TOPICS, old);

            CreateTopicsResponseData answer = client.receive(Apis.CREATE_TOPICS, 7, 1, new CreateTopicsResponseData());
            assertThat(answer.topics().find("t").errorCode()).isEqualTo(ErrorCode.NOT_CONTROLLER.code());
        }
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void aLateAnswerIsIgnoredAndItsPinsAreReleased() throws IOException {
        CompletableFuture<FetchResponseData> late = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        RequestHandler<?, ?> old = node.bind(Apis.FETCH, 4, 12, (FetchRequestData request, RequestContext context) -> {
            begun.countDown();
            return late;
        });
        AtomicInteger released = new AtomicInteger();
        try (TestClient client = node.connect()) {
            client.send(Apis.FETCH, 12, 1, new FetchRequestData());
            await().until(() -> begun.getCount() == 0);

            node.unbind(Apis.FETCH, old);
            FetchResponseData answer = client.receive(Apis.FETCH, 12, 1, new FetchResponseData());
            late.complete(pinned(released));

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.NOT_LEADER_OR_FOLLOWER.code());
            assertThat(released).hasValue(1);
        }
    }

    @Test
    void thePinsOfAnAnswerForAClosedConnectionAreReleased() throws IOException {
        CompletableFuture<FetchResponseData> late = new CompletableFuture<>();
        AtomicInteger released = new AtomicInteger();
        node.bind(Apis.FETCH, 4, 12, (FetchRequestData request, RequestContext context) -> late);
        try (TestClient client = node.connect()) {
            client.send(Apis.FETCH, 12, 1, new FetchRequestData());
            node.awaitNumber("network.requests", "Fetch", "in.flight", 1);
        }
        node.awaitNumber("network.connections", "PLAINTEXT", "open", 0);

        late.complete(pinned(released));

        assertThat(released).hasValue(1);
        node.awaitNumber("network.requests", "Fetch", "in.flight", 0);
        node.awaitNumber("network.limits", "pins", "used", 0);
    }

    @Test
    void aRemovedHandlerCanBeGarbageCollected() throws Exception {
        WeakReference<Object> gone = serveOnceAndLeave();

        await().untilAsserted(() -> {
            System.gc();
            assertThat(gone.get()).isNull();
        });
    }

    private WeakReference<Object> serveOnceAndLeave() throws IOException {
        RequestHandler<HeartbeatRequestData, HeartbeatResponseData> handler = new RequestHandler<>() {
            @Override
            public CompletionStage<HeartbeatResponseData> handle(HeartbeatRequestData request, RequestContext context) {
                return context.correlationId() == 1
                        ? CompletableFuture.completedFuture(answer(request, context))
                        : new CompletableFuture<HeartbeatResponseData>().thenApply(unused -> answer(request, context));
            }
        };
        node.bind(Apis.HEARTBEAT, 0, 4, handler);
        TestClient client = node.connect();
        client.ask(Apis.HEARTBEAT, VERSION, 1, heartbeat(), new HeartbeatResponseData());
        client.send(Apis.HEARTBEAT, VERSION, 2, heartbeat());
        node.awaitNumber("network.requests", "Heartbeat", "in.flight", 1);
        node.unbind(Apis.HEARTBEAT, handler);
        client.receive();
        return new WeakReference<>(handler);
    }

    @Test
    void theHandlerOfHighestRankAnswersAndTheOtherReplacesIt() throws IOException {
        RequestHandler<?, ?> first = node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);
        RequestHandler<?, ?> second = node.bindNow(Apis.HEARTBEAT, 0, 4, SwapTest::answer);
        assertThat(node.apis().slot(Apis.HEARTBEAT).current().handler()).isSameAs(first);

        node.unbind(Apis.HEARTBEAT, first);

        assertThat(node.apis().slot(Apis.HEARTBEAT).current().handler()).isSameAs(second);
    }

    @Test
    void aHandlerOfAnApiWithoutARowIsNotUsed() {
        new Handlers(node.apis())
                .bind(
                        (HeartbeatRequestData request, RequestContext context) -> TestNode.<ApiMessage>never(),
                        Map.of("felice.api.key", (short) 1000));

        assertThat(node.apis().slot((short) 1000)).isNull();
    }

    private static TestNode waitingNode(Map<String, ?> settings) {
        return new TestNode(
                settings, List.of(TestNode.row(Apis.HEARTBEAT, 0, 4), TestNode.row(Apis.API_VERSIONS, 0, 4)));
    }

    private static FetchResponseData pinned(AtomicInteger released) {
        Records records = new Records.InMemory(List.of(ByteBuffer.allocate(100)), 1, released::incrementAndGet);
        FetchResponseData.PartitionData partition = new FetchResponseData.PartitionData();
        partition.setRecords(new PinnedRecords(records));
        return new FetchResponseData()
                .setResponses(List.of(new FetchResponseData.FetchableTopicResponse()
                        .setTopic("t")
                        .setPartitions(List.of(partition))));
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }

    private static HeartbeatResponseData answer(HeartbeatRequestData request, RequestContext context) {
        return new HeartbeatResponseData();
    }
}
