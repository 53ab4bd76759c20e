package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A plugin's wire has a listener of its own, beside that of Kafka clients. */
@Timeout(60)
class WireTest {
    private static final String MANY = "queued_response_bytes";

    private final EchoWire wire = new EchoWire();
    private final OfferedWire offered = new OfferedWire(wire);
    private TestNode node = node(Map.of());

    private static TestNode node(Map<String, Object> more) {
        Map<String, Object> settings = new java.util.HashMap<>(more);
        settings.put("listeners", new String[] {"PLAINTEXT://127.0.0.1:0", "ECHO://127.0.0.1:0"});
        settings.put("listener_wire_map", new String[] {"ECHO:echo"});
        return new TestNode(settings).awaitOpen();
    }

    private void again(Map<String, Object> settings) {
        node.close();
        node = node(settings);
    }

    private int arrive() {
        node.wires().bind(offered, Map.of(WireProtocol.NAME, "echo"));
        await().until(() -> port() != 0);
        return port();
    }

    private int port() {
        return ((Long) node.number("network.wires", "ECHO", "port")).intValue();
    }

    @AfterEach
    void close() {
        node.close();
    }

    private static byte[] frame(int length, long seed) {
        byte[] body = new byte[length];
        new Random(seed).nextBytes(body);
        return ByteBuffer.allocate(Integer.BYTES + length)
                .putInt(length)
                .put(body)
                .array();
    }

    private static void assertEchoed(TestClient client, byte[] frame) throws IOException {
        assertThat(client.receive().array()).isEqualTo(Arrays.copyOfRange(frame, Integer.BYTES, frame.length));
    }

    private static void assertClosed(TestClient client) {
        assertThatThrownBy(client::receive).isInstanceOf(IOException.class);
    }

    @Test
    void framesOfAllSizesArriveWholeAndInOrderHoweverTheyAreSent() throws IOException {
        int port = arrive();
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (TestClient client = new TestClient(port)) {
            for (int i = 0; i < 300; i++) {
                byte[] frame = frame(random.nextInt(i % 50 == 0 ? EchoWire.LONGEST - Integer.BYTES : 500), i);
                int cut = random.nextInt(frame.length + 1);
                client.sendRaw(Arrays.copyOf(frame, cut));
                client.sendRaw(Arrays.copyOfRange(frame, cut, frame.length));

                assertThat(client.receive().array())
                        .as("frame %s with seed %s", i, seed)
                        .isEqualTo(Arrays.copyOfRange(frame, Integer.BYTES, frame.length));
            }
        }
        await().until(() -> wire.closed.size() == 1);
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void aFrameThatIsTooLongOrMalformedClosesItsConnectionBeforeItsBytesAreReceived() throws IOException {
        int port = arrive();
        for (int length : new int[] {EchoWire.LONGEST, Integer.MAX_VALUE - 4, -1}) {
            try (TestClient client = new TestClient(port)) {
                client.sendRaw(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());

                assertClosed(client);
            }
        }
        node.awaitNumber("network.connections", "ECHO", "malformed", 3);
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
    }

    @Test
    void whatTheWireThrowsClosesItsConnectionAndNoOther() throws IOException {
        int port = arrive();
        try (TestClient kept = new TestClient(port);
                TestClient broken = new TestClient(port)) {
            wire.reaction = (connection, frame) -> {
                if (frame.remaining() == Integer.BYTES) {
                    throw new LinkageError("a class is missing");
                }
                connection.send(frame);
            };
            broken.sendRaw(frame(0, 0));
            assertClosed(broken);

            kept.sendRaw(frame(10, 1));
            assertEchoed(kept, frame(10, 1));
        }
        node.awaitNumber("network.wires", "ECHO", "failed", 1);
    }

    @Test
    void theListenerIsOpenWhileTheWireIsThereAndKafkaClientsNoticeNothing() throws IOException {
        node.bindApiVersions();
        try (TestClient kafka = node.connect()) {
            int port = arrive();
            try (TestClient client = new TestClient(port)) {
                client.sendRaw(frame(10, 1));
                assertEchoed(client, frame(10, 1));

                node.wires().unbind(offered);

                assertThat(wire.closed).hasSize(1);
                assertClosed(client);
            }
            await().until(() -> port() == 0);
            assertThatThrownBy(() -> new TestClient(port)).isInstanceOf(ConnectException.class);
            assertThat(node.network().troubles().toString()).contains("no plugin provides the wire echo");

            try (TestClient client = new TestClient(arrive())) {
                client.sendRaw(frame(20, 2));
                assertEchoed(client, frame(20, 2));
            }
            kafka.ask(
                    io.felice.protocol.Apis.API_VERSIONS,
                    3,
                    1,
                    new ApiVersionsRequestData(),
                    new ApiVersionsResponseData());
        }
        assertThat(node.network().troubles()).isEmpty();
    }

    @Test
    void aWireThatHangsHoldsUpNoKafkaClientAndLetsTheNetworkStop() throws Exception {
        node.bindApiVersions();
        int port = arrive();
        CountDownLatch hang = new CountDownLatch(1);
        wire.reaction = (connection, frame) -> {
            try {
                hang.await();
            } catch (InterruptedException unexpected) {
                throw new IllegalStateException(unexpected);
            }
        };
        try (TestClient client = new TestClient(port);
                TestClient kafka = node.connect()) {
            client.sendRaw(frame(10, 1));
            await().until(() -> wire.opened.size() == 1);
            kafka.ask(
                    io.felice.protocol.Apis.API_VERSIONS,
                    3,
                    1,
                    new ApiVersionsRequestData(),
                    new ApiVersionsResponseData());

            node.wires().unbind(offered);
            await().until(() -> port() == 0);

            assertClosed(client);
            EchoWire next = new EchoWire();
            node.wires().bind(new OfferedWire(next), Map.of(WireProtocol.NAME, "echo"));
            await().until(() -> port() != 0);
            try (TestClient other = new TestClient(port())) {
                other.sendRaw(frame(10, 2));
                assertEchoed(other, frame(10, 2));
            }
        } finally {
            hang.countDown();
        }
    }

    @Test
    void theThreadIsTakenFromAWireThatHangsUntilItHasHungThreeTimes() throws Exception {
        again(Map.of("wire_timeout_ms", 50L));
        arrive();
        CountDownLatch hang = new CountDownLatch(1);
        wire.reaction = (connection, frame) -> {
            if (frame.remaining() == Integer.BYTES) {
                try {
                    hang.await();
                } catch (InterruptedException unexpected) {
                    throw new IllegalStateException(unexpected);
                }
            }
            connection.send(frame);
        };
        try {
            for (int time = 1; time <= 3; time++) {
                await().until(() -> port() != 0);
                try (TestClient client = new TestClient(port())) {
                    client.sendRaw(frame(10, time));
                    assertEchoed(client, frame(10, time));
                    client.sendRaw(frame(0, 0));
                    assertClosed(client);
                }
                node.awaitNumber("network.wires", "ECHO", "hung", time);
            }
            await().until(() -> port() == 0);
            assertThat(node.network().troubles().toString()).contains("did not return 3 times");

            node.wires().unbind(offered);
            assertThat(arrive()).isPositive();
        } finally {
            hang.countDown();
        }
    }

    @Test
    void framesWaitWhileReadingIsPausedAndComeInOrderAfterwards() throws IOException {
        int port = arrive();
        AtomicReference<WireConnection> paused = new AtomicReference<>();
        wire.reaction = (connection, frame) -> {
            connection.send(frame);
            if (paused.compareAndSet(null, connection)) {
                connection.pauseReading();
            }
        };
        try (TestClient client = new TestClient(port)) {
            for (int i = 0; i < 100; i++) {
                client.sendRaw(frame(1000, i));
            }
            assertEchoed(client, frame(1000, 0));
            assertThat(node.number("network.wires", "ECHO", "frames")).isEqualTo(1L);

            paused.get().execute(() -> paused.get().resumeReading());

            for (int i = 1; i < 100; i++) {
                assertEchoed(client, frame(1000, i));
            }
        }
    }

    @Test
    void aConnectionThatIsFullIsToldWhenItIsDrained() throws IOException {
        again(Map.of(MANY, 4_000_000L));
        int port = arrive();
        wire.reaction = (connection, frame) -> {
            while (!connection.isFull()) {
                connection.send(ByteBuffer.wrap(frame(50_000, 7)));
            }
        };
        try (TestClient client = new TestClient(port, 4096)) {
            // The socket takes a part of what is sent first.
            await().until(() -> {
                client.sendRaw(frame(1, 1));
                return !wire.opened.isEmpty() && wire.opened.get(0).isFull();
            });
            int before = wire.drained.size();

            while (wire.drained.size() == before) {
                assertEchoed(client, frame(50_000, 7));
            }
        }
    }

    @Test
    void aConnectionThatGetsMoreThanItReadsIsClosed() throws IOException {
        again(Map.of(MANY, 1_000_000L));
        int port = arrive();
        wire.reaction = (connection, frame) -> {
            for (int i = 0; i < 1000; i++) {
                connection.send(ByteBuffer.wrap(frame(50_000, 7)));
            }
        };
        try (TestClient client = new TestClient(port, 4096)) {
            client.sendRaw(frame(1, 1));

            await().until(() -> wire.closed.size() == 1);
        }
        node.awaitNumber("network.connections", "ECHO", "stalled.closed", 1);
    }

    @Test
    void whatWasSentArrivesBeforeTheWireClosesTheConnection() throws IOException {
        int port = arrive();
        wire.reaction = (connection, frame) -> {
            connection.send(frame);
            connection.close();
        };
        try (TestClient client = new TestClient(port)) {
            client.sendRaw(frame(100_000, 3));

            assertEchoed(client, frame(100_000, 3));
            assertClosed(client);
        }
        await().until(() -> wire.closed.size() == 1);
    }

    @Test
    void aListenerWithLoginClosesAClientThatDoesNotLogIn() throws IOException {
        again(Map.of(
                "listener_security_protocol_map", new String[] {"ECHO:SASL_PLAINTEXT"}, "sasl_login_timeout_ms", 300L));
        int port = arrive();
        wire.reaction = (connection, frame) -> {
            assertThat(connection.requiresLogin()).isTrue();
            connection.authenticated(io.felice.api.security.Principal.user("alice"));
            connection.send(frame);
        };
        try (TestClient in = new TestClient(port);
                TestClient out = new TestClient(port)) {
            in.sendRaw(frame(1, 1));
            assertEchoed(in, frame(1, 1));

            assertClosed(out);
            in.sendRaw(frame(1, 2));
            assertEchoed(in, frame(1, 2));
        }
        assertThat(wire.opened.get(0).listener()).isEqualTo("ECHO");
        node.awaitNumber("network.connections", "ECHO", "late.logins", 1);
    }

    @Test
    void aListenerWithTlsEncryptsAndTakesThePrincipalFromTheCertificate(@TempDir Path directory) throws Exception {
        TestCertificates.Key ofNode = TestCertificates.make(directory, "CN=localhost");
        TestCertificates.Key ofAlice = TestCertificates.make(directory, "CN=Alice");
        Map<String, Object> tls = TestTls.settings(
                ofNode,
                Map.of(
                        "listener_security_protocol_map",
                        new String[] {"ECHO:SSL"},
                        "ssl_client_auth",
                        "required",
                        "ssl_truststore_location",
                        ofAlice.certificatePem(directory.resolve("trusted.pem")).toString()));
        again(tls);
        AtomicReference<Object> seen = new AtomicReference<>();
        wire.reaction = (connection, frame) -> {
            seen.set(connection.principal());
            connection.send(frame);
        };
        int port = arrive();
        try (TestClient client =
                TestTls.connect(TestCertificates.client(ofAlice, ofNode.certificate()), "TLSv1.3", port)) {
            for (int i = 0; i < 50; i++) {
                client.sendRaw(frame(i * 1000, i));
                assertEchoed(client, frame(i * 1000, i));
            }
        }
        assertThat(seen.get()).hasToString("User:CN=Alice");
    }
}
