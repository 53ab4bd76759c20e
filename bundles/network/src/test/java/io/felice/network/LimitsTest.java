package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.storage.Records;
import io.felice.protocol.Apis;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No connection uses more than its limits, and its use does not stop the other connections. */
@Timeout(90)
class LimitsTest {
    private static final long MEGABYTE = 1024 * 1024;

    private TestNode node;

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void oneHundredClaimsOfOneHundredMegabytesUseNoMemoryAndDoNotStopANeighbour() throws Exception {
        node = heartbeats(Map.of());
        bindProduce();
        List<TestClient> liars = new ArrayList<>();
        try (TestClient neighbour = node.connect()) {
            for (int i = 0; i < 100; i++) {
                TestClient liar = node.connect();
                liar.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
                liars.add(liar);
            }
            produce(neighbour, 1, 900_000);
            produce(neighbour, 1, 900_000);
            long before = memoryInUse();

            for (TestClient liar : liars) {
                liar.sendRaw(claim(100 * 1024 * 1024, Apis.PRODUCE, 9, 20_000));
            }
            for (int i = 0; i < 20; i++) {
                produce(neighbour, i, 900_000);
                neighbour.ask(Apis.HEARTBEAT, 4, i, heartbeat(), new HeartbeatResponseData());
            }

            assertThat(memoryInUse() - before).isLessThan(16 * MEGABYTE);
            assertThat(node.number("network.connections", "PLAINTEXT", "open")).isEqualTo(101L);
        } finally {
            for (TestClient liar : liars) {
                liar.close();
            }
        }
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void aLargeFirstRequestIsRefusedAtOnce() throws IOException {
        node = heartbeats(Map.of());
        bindProduce();
        try (TestClient stranger = node.connect()) {
            stranger.sendRaw(claim(100 * 1024 * 1024, Apis.PRODUCE, 9, 100));

            assertThat(stranger.isClosed(5000)).isTrue();
        }
    }

    @Test
    void connectionsWithTheOldestIncompleteRequestsAreClosedWhenOthersNeedTheirMemory() throws Exception {
        node = heartbeats(Map.of("request_memory_bytes", 8 * MEGABYTE));
        bindProduce();
        List<TestClient> slow = new ArrayList<>();
        try (TestClient neighbour = node.connect()) {
            neighbour.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
            for (int i = 0; i < 12; i++) {
                TestClient client = node.connect();
                client.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
                client.sendRaw(claim(7 * 1024 * 1024, Apis.PRODUCE, 9, 700_000));
                slow.add(client);
            }

            for (int i = 0; i < 5; i++) {
                produce(neighbour, i, 2_000_000);
            }

            assertThat((long) node.number("network.connections", "PLAINTEXT", "memory.closed"))
                    .isBetween(1L, 12L);
        } finally {
            for (TestClient client : slow) {
                client.close();
            }
        }
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void largeRequestsOfManyConnectionsArriveCompleteAlsoIfMemoryIsShort() throws Exception {
        node = heartbeats(Map.of("request_memory_bytes", 16 * MEGABYTE));
        bindProduce();
        List<Thread> threads = new ArrayList<>();
        AtomicInteger done = new AtomicInteger();
        for (int i = 0; i < 8; i++) {
            Thread thread = new Thread(() -> {
                try (TestClient client = node.connect()) {
                    client.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
                    for (int n = 0; n < 5; n++) {
                        produce(client, n, 1_200_000);
                        done.incrementAndGet();
                    }
                } catch (IOException failure) {
                    throw new java.io.UncheckedIOException(failure);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(done).hasValue(40);
    }

    @Test
    void theNodeReadsNoRequestsOfAClientThatDoesNotReadItsAnswers() throws Exception {
        node = heartbeats(Map.of("queued_response_bytes", 256 * 1024L));
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger released = new AtomicInteger();
        byte[] page = new byte[64 * 1024];
        node.bindNow(Apis.FETCH, 4, 12, (FetchRequestData request, RequestContext context) -> {
            begun.incrementAndGet();
            return answer(new Records.InMemory(List.of(ByteBuffer.wrap(page)), 1, released::incrementAndGet));
        });
        try (TestClient slow = new TestClient(node.port(), 64 * 1024);
                TestClient neighbour = node.connect()) {
            Thread sender = new Thread(() -> {
                try {
                    for (int i = 0; i < 2000; i++) {
                        slow.send(Apis.FETCH, 12, i, new FetchRequestData());
                    }
                } catch (IOException closed) {
                    throw new java.io.UncheckedIOException(closed);
                }
            });
            sender.start();
            await().until(() -> (long) node.number("network.limits", "paused.connections", "used") == 1);
            neighbour.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
            int whileAsleep = begun.get();

            assertThat(whileAsleep).isLessThan(300);
            assertThat((long) node.number("network.limits", "answers.bytes", "used"))
                    .isLessThan(2 * 256 * 1024L);
            for (int i = 0; i < 2000; i++) {
                assertThat(slow.receiveCorrelationId()).isEqualTo(i);
            }
            sender.join();
        }
        assertThat(begun).hasValue(2000);
        await().untilAsserted(() -> assertThat(released).hasValue(2000));
    }

    @Test
    void requestsInFlightOfAConnectionAreLimited() throws Exception {
        node = new TestNode(Map.of("max_in_flight_requests_per_connection", 5));
        List<CompletableFuture<HeartbeatResponseData>> begun = new ArrayList<>();
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            synchronized (begun) {
                begun.add(later);
            }
            return later;
        });
        try (TestClient client = node.connect()) {
            for (int i = 0; i < 20; i++) {
                client.send(Apis.HEARTBEAT, 4, i, heartbeat());
            }
            node.awaitNumber("network.requests", "Heartbeat", "in.flight", 5);

            for (int i = 0; i < 20; i++) {
                int next = i;
                await().until(() -> {
                    synchronized (begun) {
                        return begun.size() > next && begun.size() <= next + 5;
                    }
                });
                synchronized (begun) {
                    begun.get(i).complete(new HeartbeatResponseData());
                }
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
            }
        }
    }

    @Test
    void requestsInFlightOfAllConnectionsAreLimited() throws Exception {
        node = new TestNode(Map.of("max_in_flight_requests", 3, "num_network_threads", 1));
        List<CompletableFuture<HeartbeatResponseData>> begun = new ArrayList<>();
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            synchronized (begun) {
                begun.add(later);
            }
            return later;
        });
        List<TestClient> clients = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            TestClient client = node.connect();
            client.send(Apis.HEARTBEAT, 4, i, heartbeat());
            clients.add(client);
        }
        node.awaitNumber("network.requests", "Heartbeat", "in.flight", 3);

        for (int i = 0; i < 10; i++) {
            int next = i;
            await().until(() -> {
                synchronized (begun) {
                    return begun.size() > next;
                }
            });
            synchronized (begun) {
                begun.get(i).complete(new HeartbeatResponseData());
            }
        }
        for (int i = 0; i < 10; i++) {
            assertThat(clients.get(i).receiveCorrelationId()).isEqualTo(i);
            clients.get(i).close();
        }
    }

    @Test
    void connectionsAboveTheLimitAreRefused() throws Exception {
        node = heartbeats(Map.of("max_connections_per_ip", 2));
        try (TestClient first = node.connect();
                TestClient second = node.connect()) {
            first.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
            second.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
            try (TestClient third = node.connect()) {
                assertThat(third.isClosed(5000)).isTrue();
            }
        }
        node.awaitNumber("network.connections", "PLAINTEXT", "refused.per.ip", 1);
        node.awaitNumber("network.connections", "PLAINTEXT", "open", 0);
        try (TestClient again = node.connect()) {
            again.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
        }
    }

    @Test
    void anIdleConnectionIsClosedUnlessItWaitsForAnAnswer() throws Exception {
        node = new TestNode(Map.of("connections_max_idle_ms", 300L));
        CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> later);
        try (TestClient idle = node.connect();
                TestClient waiting = node.connect()) {
            waiting.send(Apis.HEARTBEAT, 4, 1, heartbeat());

            assertThat(idle.isClosed(5000)).isTrue();
            later.complete(new HeartbeatResponseData());
            assertThat(waiting.receiveCorrelationId()).isEqualTo(1);
        }
        node.awaitNumber("network.connections", "PLAINTEXT", "idle.closed", 1);
    }

    @Test
    void aClientThatDoesNotReadItsAnswerIsClosedAndItsPinsAreReleased() throws Exception {
        node = heartbeats(Map.of("response_stalled_ms", 300L));
        AtomicInteger released = new AtomicInteger();
        node.bindNow(
                Apis.FETCH,
                4,
                12,
                (FetchRequestData request, RequestContext context) -> answer(new Records.InMemory(
                        List.of(ByteBuffer.allocate(16 * 1024 * 1024)), 1, released::incrementAndGet)));
        try (TestClient stalled = new TestClient(node.port(), 64 * 1024)) {
            stalled.send(Apis.FETCH, 12, 1, new FetchRequestData());

            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(released).hasValue(1));
            node.awaitNumber("network.connections", "PLAINTEXT", "stalled.closed", 1);
        }
    }

    @Test
    void memoryThatAHandlerUsesStaysCountedWhenItsConnectionCloses() throws Exception {
        node = heartbeats(Map.of());
        CompletableFuture<ProduceResponseData> later = new CompletableFuture<>();
        node.bind(Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> later);
        try (TestClient small = node.connect();
                TestClient large = node.connect()) {
            small.send(Apis.PRODUCE, 9, 1, records(20_000));
            large.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
            large.send(Apis.PRODUCE, 9, 1, records(900_000));
            node.awaitNumber("network.requests", "Produce", "in.flight", 2);
        }
        node.awaitNumber("network.connections", "PLAINTEXT", "open", 0);
        assertThat((long) node.number("network.limits", "requests.bytes", "used"))
                .isGreaterThan(920_000);

        later.complete(new ProduceResponseData());

        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void producersGetARetriableErrorWhileGivenUpRequestsUseHalfOfTheMemory() throws Exception {
        node = heartbeats(Map.of("request_memory_bytes", 2 * MEGABYTE));
        List<CompletableFuture<ProduceResponseData>> begun = new CopyOnWriteArrayList<>();
        node.bind(Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> {
            CompletableFuture<ProduceResponseData> later = new CompletableFuture<>();
            begun.add(later);
            return later;
        });
        for (int i = 1; i <= 27; i++) {
            try (TestClient client = node.connect()) {
                client.send(Apis.PRODUCE, 9, 1, records(40_000));
                int count = i;
                await().until(() -> begun.size() == count);
            }
        }
        node.awaitNumber("network.connections", "PLAINTEXT", "open", 0);
        try (TestClient client = node.connect()) {
            ProduceResponseData refused = client.ask(Apis.PRODUCE, 9, 1, records(40_000), new ProduceResponseData());
            client.ask(Apis.HEARTBEAT, 4, 2, heartbeat(), new HeartbeatResponseData());

            assertThat(errorOf(refused))
                    .isEqualTo(Apis.find(Apis.PRODUCE).orElseThrow().whileAway().code());
            assertThat(begun).hasSize(27);
            begun.forEach(stage -> stage.complete(new ProduceResponseData()));
            client.send(Apis.PRODUCE, 9, 3, records(40_000));
            await().until(() -> begun.size() == 28);
        }
    }

    private static short errorOf(ProduceResponseData answer) {
        return answer.responses().iterator().next().partitionResponses().get(0).errorCode();
    }

    private static TestNode heartbeats(Map<String, ?> settings) {
        TestNode node = new TestNode(settings);
        node.bindNow(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> new HeartbeatResponseData());
        return node;
    }

    private void bindProduce() {
        node.bindNow(Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> {
            int bytes = request.topicData()
                    .iterator()
                    .next()
                    .partitionData()
                    .get(0)
                    .records()
                    .sizeInBytes();
            return new ProduceResponseData().setThrottleTimeMs(bytes);
        });
    }

    /** Sends a Produce request of so many bytes, and checks that the handler received all of them. */
    private static void produce(TestClient client, int correlationId, int bytes) throws IOException {
        ProduceResponseData answer =
                client.ask(Apis.PRODUCE, 9, correlationId, records(bytes), new ProduceResponseData());
        assertThat(answer.throttleTimeMs()).isEqualTo(bytes);
    }

    private static ProduceRequestData records(int bytes) {
        ProduceRequestData.TopicProduceData topic = new ProduceRequestData.TopicProduceData().setName("t");
        topic.setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(bytes)))));
        ProduceRequestData request = new ProduceRequestData().setAcks((short) 1);
        request.topicData().add(topic);
        return request;
    }

    private static FetchResponseData answer(Records records) {
        FetchResponseData.PartitionData partition = new FetchResponseData.PartitionData();
        partition.setRecords(new PinnedRecords(records));
        return new FetchResponseData()
                .setResponses(List.of(new FetchResponseData.FetchableTopicResponse()
                        .setTopic("t")
                        .setPartitions(List.of(partition))));
    }

    /** The beginning of a frame whose length field is larger than the bytes that will follow. */
    private static byte[] claim(int length, short key, int version, int sent) {
        return ByteBuffer.allocate(4 + sent)
                .putInt(length)
                .putShort(key)
                .putShort((short) version)
                .putInt(1)
                .array();
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }

    private static long memoryInUse() throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50);
            long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(pool -> pool.getName().equals("direct"))
                    .mapToLong(BufferPoolMXBean::getMemoryUsed)
                    .sum();
            long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            least = Math.min(least, heap + direct);
        }
        return least;
    }
}
