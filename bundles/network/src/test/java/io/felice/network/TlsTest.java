package io.felice.network;

import static io.felice.network.TestTls.awaitNothingKept;
import static io.felice.network.TestTls.beat;
import static io.felice.network.TestTls.heartbeat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.storage.Records;
import io.felice.protocol.Apis;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients with the JDK's sockets talk to a listener that uses TLS. */
@Timeout(90)
class TlsTest {
    @TempDir
    static Path directory;

    private static TestCertificates.Key ofNode;
    private static SSLContext client;

    private TestNode node;

    @BeforeAll
    static void makeKeys() throws Exception {
        ofNode = TestCertificates.make(directory, "CN=node");
        client = TestCertificates.client(null, ofNode.certificate());
    }

    @AfterEach
    void close() {
        if (node != null) {
            node.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aRequestIsAnsweredInBothVersionsOfTls(String version) throws Exception {
        node = heartbeats(Map.of());
        try (TestClient client = connect(version)) {
            beat(client);

            assertThat(((SSLSocket) client.socket).getSession().getProtocol()).isEqualTo(version);
        }
        node.awaitNumber("network.connections", "SSL", "tls.handshakes", 1);
        awaitNothingKept(node);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void manySmallRequestsAtOnceAreAnsweredInOrder(String version) throws Exception {
        node = heartbeats(Map.of("max_in_flight_requests_per_connection", 3));
        CompletableFuture<Void> sending;
        try (TestClient client = connect(version)) {
            sending = CompletableFuture.runAsync(() -> {
                try {
                    for (int i = 0; i < 20_000; i++) {
                        client.send(Apis.HEARTBEAT, 4, i, heartbeat());
                    }
                } catch (IOException failure) {
                    throw new IllegalStateException(failure);
                }
            });
            for (int i = 0; i < 20_000; i++) {
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
            }
            sending.join();
        }
        awaitNothingKept(node);
    }

    /** While the only request that may be handled waits, all others stay where they are and need no further bytes. */
    @Test
    void requestsThatWereReceivedDuringAPauseAreHandledWithoutFurtherBytes() throws Exception {
        node = new TestNode(tls(Map.of("max_in_flight_requests_per_connection", 1)));
        List<CompletableFuture<HeartbeatResponseData>> begun = new java.util.concurrent.CopyOnWriteArrayList<>();
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
            begun.add(later);
            return later;
        });
        try (TestClient client = connect("TLSv1.3")) {
            ByteBuffer many = ByteBuffer.allocate(1024 * 1024);
            for (int i = 0; i < 10_000; i++) {
                many.put(TestClient.frame(Apis.HEARTBEAT, 4, i, heartbeat()));
            }
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                try {
                    client.sendRaw(java.util.Arrays.copyOf(many.array(), many.position()));
                } catch (IOException failure) {
                    throw new IllegalStateException(failure);
                }
            });
            for (int i = 0; i < 10_000; i++) {
                int count = i + 1;
                await().until(() -> begun.size() == count);
                begun.get(i).complete(new HeartbeatResponseData());
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
            }
            sending.join();
        }
        awaitNothingKept(node);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void largeAnswersFromMemoryAndFromAFileArriveUnchanged(String version) throws Exception {
        byte[] content = new byte[24 * 1024 * 1024 + 7];
        new java.util.Random(1).nextBytes(content);
        Path file = Files.write(directory.resolve("records-" + version), content);
        node = new TestNode(tls(Map.of("fetch_transfer", "sendfile")));
        try (FileChannel channel = FileChannel.open(file)) {
            AtomicInteger released = new AtomicInteger();
            node.bindNow(
                    Apis.FETCH,
                    4,
                    12,
                    (FetchRequestData request, RequestContext context) -> answer(
                            request.maxWaitMs() == 0
                                    ? new Records.InFile(channel, 0, content.length, 1, released::incrementAndGet)
                                    : new Records.InMemory(
                                            List.of(ByteBuffer.wrap(content)), 1, released::incrementAndGet)));
            try (TestClient client = connect(version)) {
                for (int wait = 0; wait < 2; wait++) {
                    client.send(Apis.FETCH, 12, wait, new FetchRequestData().setMaxWaitMs(wait));
                }
                for (int wait = 0; wait < 2; wait++) {
                    FetchResponseData read = client.receive(Apis.FETCH, 12, wait, new FetchResponseData());
                    MemoryRecords records = (MemoryRecords)
                            read.responses().get(0).partitions().get(0).records();
                    assertThat(records.buffer()).isEqualTo(ByteBuffer.wrap(content));
                }
            }
            await().untilAsserted(() -> assertThat(released).hasValue(2));
        }
        awaitNothingKept(node);
    }

    @Test
    void aClientThatDoesNotReadItsAnswersKeepsLittleMemoryAndIsClosed() throws Exception {
        node = new TestNode(tls(Map.of("response_stalled_ms", 500L)));
        AtomicInteger released = new AtomicInteger();
        node.bindNow(
                Apis.FETCH,
                4,
                12,
                (FetchRequestData request, RequestContext context) -> answer(new Records.InMemory(
                        List.of(ByteBuffer.allocate(16 * 1024 * 1024)), 1, released::incrementAndGet)));
        try (TestClient stalled = connect("TLSv1.3")) {
            stalled.send(Apis.FETCH, 12, 1, new FetchRequestData());
            await().until(() -> (long) node.number("network.limits", "tls.bytes", "used") > 0);

            assertThat((long) node.number("network.limits", "tls.bytes", "used"))
                    .isLessThanOrEqualTo(TlsBuffers.MOST_KEPT);
            node.awaitNumber("network.connections", "SSL", "stalled.closed", 1);
        }
        await().untilAsserted(() -> assertThat(released).hasValue(1));
        awaitNothingKept(node);
    }

    @Test
    void aLargeRequestIsReceivedWhole() throws Exception {
        node = heartbeats(Map.of());
        node.bindNow(
                Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> new ProduceResponseData()
                        .setThrottleTimeMs(request.topicData()
                                .iterator()
                                .next()
                                .partitionData()
                                .get(0)
                                .records()
                                .sizeInBytes()));
        try (TestClient client = connect("TLSv1.3")) {
            beat(client);

            ProduceResponseData answer =
                    client.ask(Apis.PRODUCE, 9, 1, TestTls.records(8 * 1024 * 1024), new ProduceResponseData());

            assertThat(answer.throttleTimeMs()).isEqualTo(8 * 1024 * 1024);
        }
        awaitNothingKept(node);
    }

    /** The last record has the end of the large request and all of the small one, which the large one has no room for. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aRequestInTheSameRecordAsTheEndOfALargeOneNeedsNoFurtherBytes(String version) throws Exception {
        node = heartbeats(Map.of());
        node.bindNow(
                Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> new ProduceResponseData());
        byte[] large = TestClient.frame(Apis.PRODUCE, 9, 1, TestTls.records(300_000));
        byte[] small = TestClient.frame(Apis.HEARTBEAT, 4, 2, heartbeat());
        try (TestClient client = connect(version)) {
            for (int i = 0; i < 20; i++) {
                client.sendRaw(ByteBuffer.allocate(large.length + small.length)
                        .put(large)
                        .put(small)
                        .array());

                assertThat(client.receiveCorrelationId()).isEqualTo(1);
                assertThat(client.receiveCorrelationId()).isEqualTo(2);
            }
        }
        awaitNothingKept(node);
    }

    /** An answer of this size is encrypted at once, so that only the transport has something to send when it is full. */
    @Test
    void whatTheSocketHasNotAcceptedIsSentWhenTheClientReads() throws Exception {
        node = new TestNode(tls(Map.of()));
        node.bindNow(
                Apis.FETCH,
                4,
                12,
                (FetchRequestData request, RequestContext context) ->
                        answer(new Records.InMemory(List.of(ByteBuffer.allocate(50_000)), 1, () -> {})));
        try (TestClient slow = new TestClient(client.getSocketFactory().createSocket(), node.port(), 16 * 1024)) {
            int asked = 0;
            while (!isFull()) {
                slow.send(Apis.FETCH, 12, asked++, new FetchRequestData());
                node.awaitNumber("network.requests", "Fetch", "requests", asked);
                node.awaitNumber("network.limits", "answers.bytes", "used", 0);
            }

            for (int i = 0; i < asked; i++) {
                assertThat(slow.receiveCorrelationId()).isEqualTo(i);
            }
        }
        awaitNothingKept(node);
    }

    /** True if the socket accepts nothing for a while. */
    private boolean isFull() throws InterruptedException {
        if (used("tls.bytes") == 0) {
            return false;
        }
        Thread.sleep(500);
        return used("tls.bytes") > 0;
    }

    private long used(String what) {
        return (long) node.number("network.limits", what, "used");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void recordsThatArriveByteByByteAreReceived(String version) throws Exception {
        node = heartbeats(Map.of());
        try (Relay relay = Relay.byteByByte(node.port());
                TestClient client = TestTls.connect(TlsTest.client, version, relay.port())) {
            beat(client);
            beat(client);
        }
        awaitNothingKept(node);
    }

    @Test
    void theLastThingThatANodeSendsIsTheEndOfTls() throws Exception {
        node = heartbeats(Map.of());
        try (Relay relay = Relay.to(node.port());
                TestClient client = TestTls.connect(TlsTest.client, "TLSv1.2", relay.port())) {
            beat(client);

            node.close();

            assertThat(client.endsWithin(5000)).isTrue();
            // 21 is the type of an alert (RFC 5246, 6.2.1); TLS 1.3 would hide it.
            assertThat(relay.typeOfLastRecord()).isEqualTo(21);
        }
        node = null;
    }

    @Test
    void aClientThatEndsTlsButNotItsSocketIsClosed() throws Exception {
        node = heartbeats(Map.of());
        try (TestClient client = connect("TLSv1.3")) {
            beat(client);

            client.socket.shutdownOutput();

            node.awaitNumber("network.connections", "SSL", "open", 0);
        }
    }

    @Test
    void aRenegotiationIsRefused() throws Exception {
        node = heartbeats(Map.of());
        try (TestClient client = connect("TLSv1.2");
                TestClient neighbour = connect("TLSv1.2")) {
            beat(client);
            ((SSLSocket) client.socket).startHandshake();

            assertThatThrownBy(() -> beat(client)).isInstanceOf(IOException.class);

            beat(neighbour);
            node.awaitNumber("network.connections", "SSL", "tls.failed", 1);
        }
    }

    @Test
    void aKeyUpdateOfTheClientDoesNotDisturbItsRequests() throws Exception {
        node = heartbeats(Map.of());
        try (TestClient client = connect("TLSv1.3")) {
            for (int i = 0; i < 3; i++) {
                beat(client);
                ((SSLSocket) client.socket).startHandshake();
            }
            beat(client);
        }
        node.awaitNumber("network.connections", "SSL", "tls.failed", 0);
        awaitNothingKept(node);
    }

    @Test
    void aClientThatSpeaksPlainTextIsClosed() throws Exception {
        node = heartbeats(Map.of());
        try (TestClient plain = node.connect();
                TestClient neighbour = connect("TLSv1.3")) {
            plain.send(Apis.HEARTBEAT, 4, 1, heartbeat());

            assertThat(plain.isClosed(5000)).isTrue();

            beat(neighbour);
            node.awaitNumber("network.connections", "SSL", "tls.failed", 1);
        }
    }

    @Test
    void aClientThatSendsNothingIsClosedWhenTheTimeOfTheHandshakeIsOver() throws Exception {
        node = heartbeats(Map.of("ssl_handshake_timeout_ms", 300L));
        try (Socket silent = new Socket("127.0.0.1", node.port())) {
            silent.setSoTimeout(20_000);

            assertThat(silent.getInputStream().read()).isNegative();

            node.awaitNumber("network.connections", "SSL", "tls.late", 1);
        }
    }

    @Test
    void aCipherSuiteThatIsNotInTheListIsRefused() throws Exception {
        node = heartbeats(Map.of("ssl_cipher_suites", new String[] {"TLS_AES_256_GCM_SHA384"}));
        try (TestClient client = connect("TLSv1.3")) {
            beat(client);
            assertThat(((SSLSocket) client.socket).getSession().getCipherSuite())
                    .isEqualTo("TLS_AES_256_GCM_SHA384");
        }
        assertThatThrownBy(() -> connect("TLSv1.2")).isInstanceOf(SSLException.class);
        node.awaitNumber("network.connections", "SSL", "tls.failed", 1);
    }

    @Test
    void aVersionThatIsNotEnabledIsRefused() throws Exception {
        node = heartbeats(Map.of("ssl_enabled_protocols", new String[] {"TLSv1.3"}));
        assertThatThrownBy(() -> connect("TLSv1.2")).isInstanceOf(SSLException.class);
        try (TestClient client = connect("TLSv1.3")) {
            beat(client);
        }
    }

    private static TestNode heartbeats(Map<String, ?> settings) {
        return TestTls.heartbeats(tls(settings));
    }

    private static Map<String, Object> tls(Map<String, ?> settings) {
        return TestTls.settings(ofNode, settings);
    }

    private TestClient connect(String version) throws Exception {
        return TestTls.connect(client, version, node.port());
    }

    private static FetchResponseData answer(Records records) {
        FetchResponseData.PartitionData partition = new FetchResponseData.PartitionData();
        partition.setRecords(new PinnedRecords(records));
        return new FetchResponseData()
                .setResponses(List.of(new FetchResponseData.FetchableTopicResponse()
                        .setTopic("t")
                        .setPartitions(List.of(partition))));
    }
}
