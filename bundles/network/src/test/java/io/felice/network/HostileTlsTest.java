package io.felice.network;

import static io.felice.network.TestTls.beat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that break TLS or stall are closed, their memory returns, and other clients are served meanwhile. */
@Timeout(120)
class HostileTlsTest {
    private static final int FEW_BYTES = 20 * 1024;

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
        node.close();
    }

    @Test
    void clientsThatStallInTheHandshakeKeepLittleMemoryAndAreClosedAtTheDeadline() throws Exception {
        node = TestTls.heartbeats(TestTls.settings(ofNode, Map.of("ssl_handshake_timeout_ms", 1500L)));
        byte[] hello = clientHello();
        List<Socket> stalled = new ArrayList<>();
        try (TestClient neighbour = connect()) {
            for (int i = 0; i < 100; i++) {
                Socket socket = new Socket("127.0.0.1", node.port());
                socket.getOutputStream().write(hello, 0, i % 2 == 0 ? hello.length : hello.length / 2);
                stalled.add(socket);
            }
            await().until(() -> (long) node.number("network.limits", "tls.bytes", "used") >= 50L * hello.length / 2);

            beat(neighbour);

            assertThat((long) node.number("network.limits", "tls.bytes", "used"))
                    .isLessThanOrEqualTo(50L * hello.length);
            node.awaitNumber("network.connections", "SSL", "tls.late", 100);
            node.awaitNumber("network.connections", "SSL", "open", 1);
            beat(neighbour);
        }
        for (Socket socket : stalled) {
            socket.close();
        }
        TestTls.awaitNothingKept(node);
    }

    @Test
    void aClientThatSendsItsHandshakeTooSlowlyIsClosedAtTheDeadline() throws Exception {
        node = TestTls.heartbeats(TestTls.settings(ofNode, Map.of("ssl_handshake_timeout_ms", 500L)));
        byte[] hello = clientHello();
        try (Socket slow = new Socket("127.0.0.1", node.port());
                TestClient neighbour = connect()) {
            CompletableFuture<Integer> sent = CompletableFuture.supplyAsync(() -> drip(slow, hello));

            node.awaitNumber("network.connections", "SSL", "tls.late", 1);

            beat(neighbour);
            assertThat(sent.join()).isLessThan(hello.length);
        }
        TestTls.awaitNothingKept(node);
    }

    /** @return how many bytes were sent before the node closed the connection */
    private static int drip(Socket socket, byte[] bytes) {
        try {
            socket.setTcpNoDelay(true);
            for (int i = 0; i < bytes.length; i++) {
                socket.getOutputStream().write(bytes[i]);
                Thread.sleep(20);
            }
            return bytes.length;
        } catch (IOException | InterruptedException closed) {
            return 0;
        }
    }

    @Test
    void theConnectionWithTheOldestPartOfARecordIsClosedWhenMemoryIsShort() throws Exception {
        node = TestTls.heartbeats(
                TestTls.settings(ofNode, Map.of("request_memory_bytes", 512 * 1024L, "num_network_threads", 1)));
        node.bindNow(
                Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> new ProduceResponseData());
        List<TestClient> hoarders = new ArrayList<>();
        List<Relay> relays = new ArrayList<>();
        try (TestClient neighbour = connect()) {
            for (int i = 0; i < 40; i++) {
                Relay relay = Relay.to(node.port());
                TestClient hoarder = TestTls.connect(client, "TLSv1.3", relay.port());
                beat(hoarder);
                relay.stopAfter(14_000);
                hoarder.sendRaw(new byte[16 * 1024]);
                hoarders.add(hoarder);
                relays.add(relay);
            }
            await().until(() -> (long) node.number("network.limits", "requests.bytes", "used") > 512 * 1024);

            for (int i = 0; i < 5; i++) {
                neighbour.ask(Apis.PRODUCE, 9, i, TestTls.records(100_000), new ProduceResponseData());
            }

            assertThat((long) node.number("network.connections", "SSL", "memory.closed"))
                    .isPositive();
        } finally {
            for (int i = 0; i < hoarders.size(); i++) {
                relays.get(i).close();
                hoarders.get(i).close();
            }
        }
        TestTls.awaitNothingKept(node);
    }

    @Test
    void anyBytesAreAnsweredOrCloseTheConnection() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        node = TestTls.heartbeats(TestTls.settings(ofNode, Map.of("ssl_handshake_timeout_ms", 1000L)));
        byte[] hello = clientHello();
        ExecutorService threads = Executors.newCachedThreadPool();
        try (TestClient neighbour = connect()) {
            for (int round = 0; round < 8; round++) {
                List<CompletableFuture<Boolean>> attempts = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    byte[] bytes = mischief(hello, random);
                    int cut = random.nextInt(bytes.length);
                    boolean endsOutput = random.nextBoolean();
                    attempts.add(CompletableFuture.supplyAsync(() -> isClosed(bytes, cut, endsOutput), threads));
                }
                beat(neighbour);
                for (CompletableFuture<Boolean> attempt : attempts) {
                    assertThat(attempt.join())
                            .as("seed %d, round %d", seed, round)
                            .isTrue();
                }
            }
            beat(neighbour);
        } finally {
            threads.shutdown();
        }
        TestTls.awaitNothingKept(node);
    }

    /** Bytes that a client sends in an established connection are changed on their way. */
    @Test
    void damagedRecordsCloseTheConnection() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        node = TestTls.heartbeats(TestTls.settings(ofNode, Map.of("ssl_handshake_timeout_ms", 300L)));
        for (int round = 0; round < 12; round++) {
            String version = random.nextBoolean() ? "TLSv1.2" : "TLSv1.3";
            try (Relay damage = Relay.damaging(node.port(), random.nextInt(2500));
                    TestClient damaged = TestTls.connect(client, version, damage.port())) {
                for (int i = 0; i < 30; i++) {
                    beat(damaged);
                }
            } catch (IOException closed) {
                // The byte was in a record and not behind the last one.
            }
        }
        try (TestClient neighbour = connect()) {
            beat(neighbour);
        }
        TestTls.awaitNothingKept(node);
    }

    private static byte[] mischief(byte[] hello, Random random) {
        byte[] bytes = hello.clone();
        switch (random.nextInt(6)) {
            case 0 -> {
                bytes = new byte[random.nextInt(1, FEW_BYTES)];
                random.nextBytes(bytes);
            }
            case 1 -> {
                for (int i = random.nextInt(1, 9); i > 0; i--) {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case 2 -> bytes = Arrays.copyOf(bytes, random.nextInt(1, bytes.length));
            case 3 -> {
                bytes[3] = (byte) random.nextInt();
                bytes[4] = (byte) random.nextInt();
            }
            case 4 -> bytes[0] = (byte) random.nextInt(18, 27);
            default -> {
                int length = bytes.length;
                bytes = Arrays.copyOf(bytes, 3 * length);
                System.arraycopy(hello, 0, bytes, length, length);
                System.arraycopy(hello, 0, bytes, 2 * length, length);
            }
        }
        return bytes;
    }

    /** Sends the bytes in two pieces. True if the node closes the connection. */
    private boolean isClosed(byte[] bytes, int cut, boolean endsOutput) {
        try (Socket socket = new Socket("127.0.0.1", node.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(bytes, 0, cut);
            socket.getOutputStream().write(bytes, cut, bytes.length - cut);
            if (endsOutput) {
                socket.shutdownOutput();
            }
            socket.getInputStream().readAllBytes();
            return true;
        } catch (SocketTimeoutException silent) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    /** The first record of a JDK client. */
    private static byte[] clientHello() throws Exception {
        try (ServerSocket server = new ServerSocket(0);
                SSLSocket socket =
                        (SSLSocket) client.getSocketFactory().createSocket("127.0.0.1", server.getLocalPort());
                Socket accepted = server.accept()) {
            CompletableFuture.runAsync(() -> {
                try {
                    socket.startHandshake();
                } catch (IOException never) {
                    // Nobody answers.
                }
            });
            byte[] header = accepted.getInputStream().readNBytes(5);
            int length = (header[3] & 0xff) << 8 | header[4] & 0xff;
            ByteArrayOutputStream hello = new ByteArrayOutputStream();
            hello.write(header);
            hello.write(accepted.getInputStream().readNBytes(length));
            return hello.toByteArray();
        }
    }

    private TestClient connect() throws IOException {
        return TestTls.connect(client, "TLSv1.3", node.port());
    }
}
