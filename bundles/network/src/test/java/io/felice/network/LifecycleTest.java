package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.UnixOperatingSystemMXBean;
import io.felice.api.Launch;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.status.Trouble;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.mina.core.polling.AbstractPollingIoProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The network is started, reconfigured and stopped. */
@Timeout(60)
class LifecycleTest {
    @TempDir
    Path directory;

    @AfterEach
    void forget() {
        System.clearProperty(Launch.FATAL_FILE);
    }

    @Test
    void severalListenersHaveTheirOwnAddressesAndNames() throws Exception {
        Map<String, Object> settings = Map.of(
                "listeners", new String[] {"PLAINTEXT://127.0.0.1:0", "EXTERNAL://127.0.0.1:0"},
                "advertised_listeners", new String[] {"EXTERNAL://broker.example.org:19092"},
                "listener_security_protocol_map", new String[] {"EXTERNAL:PLAINTEXT"});
        try (TestNode node = heartbeats(settings)) {
            int inner = node.port("PLAINTEXT");

            List<BrokerRegistration.Endpoint> endpoints = node.endpoints().endpoints();

            assertThat(endpoints)
                    .containsExactly(
                            new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", inner),
                            new BrokerRegistration.Endpoint("EXTERNAL", "PLAINTEXT", "broker.example.org", 19092));
            assertThat(inner).isPositive();
        }
    }

    @Test
    void aHandlerKnowsTheListenerOfItsConnection() throws Exception {
        Map<String, Object> settings = Map.of(
                "listeners", new String[] {"PLAINTEXT://127.0.0.1:0, EXTERNAL://127.0.0.1:" + freePort()},
                "listener_security_protocol_map", new String[] {"EXTERNAL:PLAINTEXT"});
        CompletableFuture<String> listener = new CompletableFuture<>();
        try (TestNode node = new TestNode(settings)) {
            node.bindNow(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
                listener.complete(
                        context.connection().listener() + context.connection().host());
                return new HeartbeatResponseData();
            });
            try (TestClient client = new TestClient(node.port("EXTERNAL"))) {
                beat(client);
            }
            assertThat(listener.join()).isEqualTo("EXTERNAL/127.0.0.1");
        }
    }

    @Test
    void aTakenPortIsReportedInOneSentence() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                TestNode node = new TestNode(
                        Map.of("listeners", new String[] {"PLAINTEXT://127.0.0.1:" + taken.getLocalPort()}))) {
            await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(fatal));

            assertThat(Files.readString(fatal))
                    .startsWith("Cannot listen for PLAINTEXT on 127.0.0.1:" + taken.getLocalPort())
                    .contains("taken by another process");
            assertThat(node.endpoints()).isNull();
        }
    }

    @Test
    void aListenerWithAMisspeltProtocolIsNotOpened() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        try (TestNode node = new TestNode(Map.of("listeners", new String[] {"SASL_SLL://127.0.0.1:0"}))) {
            await().until(() -> Files.exists(fatal));

            assertThat(Files.readString(fatal))
                    .startsWith("listeners: SASL_SLL is none of [PLAINTEXT, SASL_PLAINTEXT, SASL_SSL, SSL]")
                    .contains("listener.security.protocol.map");
            assertThat(node.endpoints()).isNull();
        }
    }

    @Test
    void aListenerWithSaslNeedsAMechanism() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        try (TestNode node = new TestNode(Map.of("listeners", new String[] {"SASL_PLAINTEXT://127.0.0.1:0"}))) {
            await().until(() -> Files.exists(fatal));

            assertThat(Files.readString(fatal))
                    .startsWith("listener SASL_PLAINTEXT is SASL_PLAINTEXT, but sasl.enabled.mechanisms names no");
            assertThat(node.endpoints()).isNull();
        }
    }

    @Test
    void aListenerThatCannotBeParsedIsReportedInOneSentence() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        try (TestNode node = new TestNode(Map.of("listeners", new String[] {"127.0.0.1:9092"}))) {
            await().until(() -> Files.exists(fatal));

            assertThat(Files.readString(fatal)).startsWith("listeners: \"127.0.0.1:9092\" is no listener");
            assertThat(node.endpoints()).isNull();
        }
    }

    @Test
    void aPortThatIsBeingReleasedIsWaitedFor() throws Exception {
        ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        try (TestNode node =
                heartbeats(Map.of("listeners", new String[] {"PLAINTEXT://127.0.0.1:" + taken.getLocalPort()}))) {
            Thread.sleep(200);
            taken.close();

            try (TestClient client = node.connect()) {
                beat(client);
            }
        }
    }

    @Test
    void changedLimitsAndRequestLogApplyToAnOpenConnection() throws Exception {
        try (TestNode node = heartbeats(Map.of());
                TestClient client = node.connect()) {
            beat(client);

            node.change("request_log", true);
            node.change("socket_request_max_bytes", 200);
            beat(client);
            await().untilAsserted(() -> {
                try (TestClient other = node.connect()) {
                    other.send(Apis.HEARTBEAT, 4, 1, new HeartbeatRequestData().setGroupId("g".repeat(300)));
                    assertThat(other.isClosed(1000)).isTrue();
                }
            });

            beat(client);
        }
    }

    @Test
    void theRequestLogHasALinePerRequestWithoutItsContents() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        try (TestNode node = heartbeats(Map.of());
                TestClient client = node.connect()) {
            System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
            beat(client);
            node.change("request_log", true);

            await().untilAsserted(() -> {
                beat(client);
                assertThat(lines.toString(StandardCharsets.UTF_8))
                        .contains(
                                "io.felice.network.requests - Heartbeat v4 client=test software=- correlation=1 from=")
                        .contains("listener=PLAINTEXT in.bytes=")
                        .doesNotContain("member-of-a-group");
            });
        } finally {
            System.setErr(before);
        }
    }

    @Test
    void aClientIdCannotForgeALogLine() {
        assertThat(RequestLog.printable("a\nb\u001b[31m c")).isEqualTo("a?b?[31m?c");
        assertThat(RequestLog.printable("x".repeat(1000))).hasSize(200);
    }

    @Test
    void aLimitOfZeroIsReportedInOneSentence() throws Exception {
        Path fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
        try (TestNode node = new TestNode(Map.of("max_in_flight_requests", 0))) {
            await().until(() -> Files.exists(fatal));

            assertThat(Files.readString(fatal)).startsWith("max.in.flight.requests is 0; it must be at least 1");
            assertThat(node.endpoints()).isNull();
        }
    }

    @Test
    void changedListenersAreOpenedAndIllegalListenersRefusedAtRuntime() throws Exception {
        try (TestNode node = heartbeats(Map.of("listener_security_protocol_map", new String[] {"SECOND:PLAINTEXT"}))) {
            int before = node.port();
            node.change("listeners", new String[] {"PLAINTEXT://127.0.0.1:" + before, "SECOND://127.0.0.1:0"});
            await().until(() ->
                    node.endpoints() != null && node.endpoints().endpoints().size() == 2);
            assertThat(node.port()).isEqualTo(before);

            node.change("listeners", new String[] {"nonsense"});

            try (TestClient client = node.connect()) {
                beat(client);
            }
            assertThat(node.endpoints().endpoints()).hasSize(2);
            await().untilAsserted(() -> assertThat(node.network().troubles())
                    .extracting(Trouble::reason)
                    .singleElement()
                    .asString()
                    .contains("the listeners stay as they were", "nonsense"));

            node.change("listeners", new String[] {"PLAINTEXT://127.0.0.1:" + before, "SECOND://127.0.0.1:0"});
            await().untilAsserted(() -> assertThat(node.network().troubles()).isEmpty());
        }
    }

    @Test
    void aStopAnswersBegunRequestsAndClosesConnections() throws Exception {
        stopWithOneRequestBegun(client -> {});
    }

    @Test
    void aClientThatSendsDuringAStopGetsItsAnswersAndTheEndOfTheStreamAndNoReset() throws Exception {
        stopWithOneRequestBegun(client -> {
            for (int correlation = 2; correlation <= 20; correlation++) {
                client.send(Apis.HEARTBEAT, 4, correlation, heartbeat());
                Thread.sleep(20);
            }
        });
    }

    private interface Action {
        void run(TestClient client) throws Exception;
    }

    /**
     * Stops a node with one begun request. Completes the request, runs the client's action, and checks that the client
     * gets the answer and then the end of the stream.
     */
    private static void stopWithOneRequestBegun(Action action) throws Exception {
        CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
        TestNode node = new TestNode(Map.of("num_network_threads", 1));
        node.bind(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> later);
        try (TestClient client = node.connect();
                TestClient idle = node.connect()) {
            client.send(Apis.HEARTBEAT, 4, 1, heartbeat());
            node.awaitNumber("network.requests", "Heartbeat", "in.flight", 1);
            Thread stopping = new Thread(node::close);
            stopping.start();
            assertThat(idle.endsWithin(5000)).isTrue();
            later.complete(new HeartbeatResponseData());

            action.run(client);

            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            assertThat(client.endsWithin(5000)).isTrue();
            stopping.join();
        }
    }

    @Test
    void aStopLeavesNoThreadPortOrFile() throws Exception {
        startAndStop(0);
        UnixOperatingSystemMXBean system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long files = system.getOpenFileDescriptorCount();

        int port = startAndStop(0);
        for (int i = 0; i < 3; i++) {
            assertThat(startAndStop(port)).isEqualTo(port);
        }

        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            assertThat(system.getOpenFileDescriptorCount()).isLessThanOrEqualTo(files);
            assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().startsWith("felice-network")
                            || thread.getName().contains("Acceptor")
                            || thread.getName().contains("RoundProcessor"));
        });
        assertThat(classesThatMinaKeeps()).doesNotContain(RoundProcessor.class);
    }

    private static Set<Object> classesThatMinaKeeps() throws ReflectiveOperationException {
        Field ids = AbstractPollingIoProcessor.class.getDeclaredField("threadIds");
        ids.setAccessible(true);
        return Set.copyOf(((Map<?, ?>) ids.get(null)).keySet());
    }

    private static int startAndStop(int port) throws IOException {
        try (TestNode node = heartbeats(Map.of("listeners", new String[] {"PLAINTEXT://127.0.0.1:" + port}));
                TestClient client = node.connect();
                TestClient idle = node.connect()) {
            beat(client);
            assertThat(idle.socket.isConnected()).isTrue();
            return node.port();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
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

    private static void beat(TestClient client) throws IOException {
        client.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("member-of-a-group");
    }
}
