package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.protocol.Apis;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests begin in order, and their answers are sent in the same order, whatever the handlers do. */
@Timeout(60)
class AnswerOrderTest {
    private final TestNode node = new TestNode(Map.of("num_network_threads", 2));
    private final ScheduledExecutorService elsewhere = Executors.newScheduledThreadPool(2);

    @AfterEach
    void close() {
        node.close();
        elsewhere.shutdown();
    }

    @Test
    void answersOneRequest() throws IOException {
        node.bindApiVersions();

        try (TestClient client = node.connect()) {
            ApiVersionsResponseData answer =
                    client.ask(Apis.API_VERSIONS, 3, 7, new ApiVersionsRequestData(), new ApiVersionsResponseData());

            assertThat(answer.errorCode()).isZero();
            assertThat(answer.apiKeys().find(Apis.API_VERSIONS).maxVersion()).isEqualTo((short) 4);
        }
    }

    @Test
    void answersPipelinedRequestsInOrderEvenIfTheyCompleteInAnotherOrder() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            HeartbeatResponseData answer = new HeartbeatResponseData().setThrottleTimeMs(context.correlationId());
            switch (random.nextInt(4)) {
                case 0 -> later.complete(answer);
                case 1 -> context.turn().atEnd(() -> later.complete(answer));
                default -> elsewhere.schedule(() -> later.complete(answer), random.nextInt(3), TimeUnit.MILLISECONDS);
            }
            return later;
        });

        try (TestClient client = node.connect()) {
            for (int i = 0; i < 2000; i++) {
                client.send(
                        Apis.HEARTBEAT,
                        4,
                        i,
                        new HeartbeatRequestData().setGroupId("g").setMemberId("m"));
            }

            for (int i = 0; i < 2000; i++) {
                HeartbeatResponseData answer = client.receive(Apis.HEARTBEAT, 4, i, new HeartbeatResponseData());
                assertThat(answer.throttleTimeMs()).as("seed %d", seed).isEqualTo(i);
            }
        }
        node.awaitNumber("network.requests", "Heartbeat", "in.flight", 0);
        assertThat(node.number("network.requests", "Heartbeat", "requests")).isEqualTo(2000L);
    }

    @Test
    void aRequestOfOneConnectionMayCompleteRequestsOfOtherConnections() throws IOException {
        ConcurrentLinkedQueue<CompletableFuture<HeartbeatResponseData>> parked = new ConcurrentLinkedQueue<>();
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            if (request.groupId().equals("wake")) {
                context.turn().atEnd(() -> parked.forEach(later -> later.complete(new HeartbeatResponseData())));
                return CompletableFuture.completedFuture(new HeartbeatResponseData());
            }
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            parked.add(later);
            return later;
        });
        List<TestClient> sleepers = new ArrayList<>();
        try (TestClient waker = node.connect()) {
            for (int i = 0; i < 20; i++) {
                TestClient sleeper = node.connect();
                sleeper.send(Apis.HEARTBEAT, 0, i, heartbeat());
                sleepers.add(sleeper);
            }
            node.awaitNumber("network.requests", "Heartbeat", "in.flight", 20);

            waker.ask(
                    Apis.HEARTBEAT,
                    0,
                    1,
                    new HeartbeatRequestData().setGroupId("wake").setMemberId("m"),
                    new HeartbeatResponseData());

            for (int i = 0; i < 20; i++) {
                assertThat(sleepers.get(i).receiveCorrelationId()).isEqualTo(i);
                sleepers.get(i).close();
            }
        }
    }

    @Test
    void runsDeferredActionsAfterTheLastRequestOfARoundAndBeforeItsFirstAnswer() throws IOException {
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            events.add("begin");
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            context.turn().atEnd(() -> {
                events.add("end");
                later.complete(new HeartbeatResponseData());
            });
            return later;
        });

        try (TestClient client = node.connect()) {
            byte[] one = TestClient.frame(
                    Apis.HEARTBEAT,
                    0,
                    1,
                    new HeartbeatRequestData().setGroupId("g").setMemberId("m"));
            byte[] three = new byte[3 * one.length];
            for (int i = 0; i < 3; i++) {
                System.arraycopy(one, 0, three, i * one.length, one.length);
            }
            client.sendRaw(three);
            client.receive();
            client.receive();
            client.receive();
        }

        assertThat(events).containsExactly("begin", "begin", "begin", "end", "end", "end");
    }

    @Test
    void aDeferredActionThatThrowsDoesNotStopTheOthers() throws IOException {
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            context.turn().atEnd(() -> {
                throw new IllegalStateException("on purpose");
            });
            context.turn().atEnd(() -> later.complete(new HeartbeatResponseData()));
            return later;
        });

        try (TestClient client = node.connect()) {
            client.ask(Apis.HEARTBEAT, 0, 1, heartbeat(), new HeartbeatResponseData());
        }
    }

    @Test
    void cutsFramesThatArriveByteByByte() throws IOException {
        node.bindNow(
                Apis.METADATA,
                0,
                12,
                (MetadataRequestData request, RequestContext context) -> new MetadataResponseData()
                        .setClusterId(request.topics().get(0).name()));

        try (TestClient client = node.connect()) {
            MetadataRequestData request = new MetadataRequestData()
                    .setTopics(
                            List.of(new MetadataRequestData.MetadataRequestTopic().setName("a-topic-of-some-length")));
            for (int i = 0; i < 3; i++) {
                for (byte one : TestClient.frame(Apis.METADATA, 9, i, request)) {
                    client.sendRaw(new byte[] {one});
                }
                MetadataResponseData answer = client.receive(Apis.METADATA, 9, i, new MetadataResponseData());
                assertThat(answer.clusterId()).isEqualTo("a-topic-of-some-length");
            }
        }
    }

    @Test
    void answersAFailureInTheFormOfTheApi() throws IOException {
        node.bind(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> switch (request.groupId()) {
                    case "thrown" -> throw ErrorCode.UNKNOWN_MEMBER_ID.because("nobody knows it");
                    case "failed" -> CompletableFuture.failedFuture(ErrorCode.ILLEGAL_GENERATION.because("too old"));
                    case "null" -> null;
                    default -> CompletableFuture.failedFuture(new IllegalStateException("an accident, on purpose"));
                });

        try (TestClient client = node.connect()) {
            assertThat(errorOf(client, "thrown")).isEqualTo(ErrorCode.UNKNOWN_MEMBER_ID.code());
            assertThat(errorOf(client, "failed")).isEqualTo(ErrorCode.ILLEGAL_GENERATION.code());
            assertThat(errorOf(client, "null")).isEqualTo(ErrorCode.UNKNOWN_SERVER_ERROR.code());
            assertThat(errorOf(client, "accident")).isEqualTo(ErrorCode.UNKNOWN_SERVER_ERROR.code());
        }
        assertThat(node.number("network.requests", "Heartbeat", "failed")).isEqualTo(4L);
    }

    private static short errorOf(TestClient client, String group) throws IOException {
        HeartbeatRequestData request =
                new HeartbeatRequestData().setGroupId(group).setMemberId("m");
        return client.ask(Apis.HEARTBEAT, 4, 1, request, new HeartbeatResponseData())
                .errorCode();
    }

    @Test
    void sendsEarlierAnswersBeforeAHandlerClosesTheConnection() throws IOException {
        ConcurrentLinkedQueue<CompletableFuture<HeartbeatResponseData>> first = new ConcurrentLinkedQueue<>();
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            if (context.correlationId() == 2) {
                elsewhere.schedule(
                        () -> first.remove().complete(new HeartbeatResponseData()), 20, TimeUnit.MILLISECONDS);
                throw new CloseConnection("no answer will do");
            }
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            first.add(later);
            return later;
        });

        try (TestClient client = node.connect()) {
            client.send(Apis.HEARTBEAT, 0, 1, heartbeat());
            client.send(Apis.HEARTBEAT, 0, 2, heartbeat());
            client.send(Apis.HEARTBEAT, 0, 3, heartbeat());

            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            assertThat(client.isClosed(5000)).isTrue();
        }
        node.awaitNumber("network.requests", "Heartbeat", "in.flight", 0);
    }

    @Test
    void sendsNothingForARequestThatWantsNoAnswer() throws IOException {
        node.bind(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> CompletableFuture.completedFuture(
                        context.correlationId() == 1 ? null : new HeartbeatResponseData()));

        try (TestClient client = node.connect()) {
            client.send(Apis.HEARTBEAT, 0, 1, heartbeat());
            client.send(Apis.HEARTBEAT, 0, 2, heartbeat());

            assertThat(client.receiveCorrelationId()).isEqualTo(2);
        }
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }
}
