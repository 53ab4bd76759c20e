package io.felice.network;

import static io.felice.network.SaslNode.heartbeat;
import static io.felice.network.SaslNode.message;
import static io.felice.network.SaslNode.raw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.protocol.Apis;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any bytes at the login are answered or close the connection, and let nobody in. */
@Timeout(180)
class SaslFuzzTest {
    private static final int CLIENTS = 800;
    private static final int MOST_PIECES = 6;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void randomLoginsAreAnsweredOrClosedAndDoNotAffectTheNeighbours() throws Exception {
        System.out.println("SaslFuzzTest seed " + seed);
        try (SaslNode node = new SaslNode(Map.of("held_requests_ms", 300L, "sasl_login_timeout_ms", 1000L))) {
            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger beats = new AtomicInteger();
            CompletableFuture<Void> neighbour = CompletableFuture.runAsync(() -> beatUntil(over, beats, node));
            await().until(() -> beats.get() > 0);

            for (int i = 0; i < CLIENTS; i++) {
                disturb(node, i);
                byte[] bytes = randomBytes();
                try (TestClient client = node.connect()) {
                    assertThat(isClosedAfter(client, bytes))
                            .as("seed %d, client %d", seed, i)
                            .isTrue();
                }
            }

            over.set(true);
            neighbour.join();
            node.bindLogins();
            node.authentication.answerWaiting("fuzz");
            node.awaitNothingUsed();
            await().untilAsserted(() ->
                    assertThat(node.authentication.closed.get()).isEqualTo(node.authentication.begun.get()));
            assertThat(node.strangers).as("seed %d", seed).hasValue(0);
            assertThat(node.principals).as("seed %d", seed).contains("User:neighbour", "User:fuzz");
        }
    }

    private void disturb(SaslNode node, int client) {
        node.authentication.validUntil = random.nextBoolean()
                ? Optional.empty()
                : Optional.of(Instant.now().plusSeconds(60));
        if (client % 100 == 50) {
            node.unbindLogins();
        } else if (client % 100 == 60) {
            node.bindLogins();
        } else if (client % 7 == 0) {
            node.authentication.answerWaiting("fuzz");
        }
    }

    private static void beatUntil(AtomicBoolean over, AtomicInteger beats, SaslNode node) {
        try (TestClient neighbour = node.connect("neighbour")) {
            while (!over.get()) {
                SaslNode.beat(neighbour);
                beats.incrementAndGet();
                Thread.sleep(1);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /**
     * The client sends what it has, and then reads until the node ends the stream. Some clients leave without reading.
     */
    private boolean isClosedAfter(TestClient client, byte[] bytes) throws IOException {
        try {
            if (random.nextBoolean()) {
                int cut = random.nextInt(bytes.length + 1);
                client.sendRaw(Arrays.copyOf(bytes, cut));
                client.sendRaw(Arrays.copyOfRange(bytes, cut, bytes.length));
            } else {
                client.sendRaw(bytes);
            }
            if (random.nextInt(4) > 0) {
                client.socket.shutdownOutput();
            } else {
                return true;
            }
            client.socket.getInputStream().readAllBytes();
            return true;
        } catch (java.net.SocketTimeoutException silent) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    private byte[] randomBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        if (random.nextInt(3) == 0) {
            bytes.writeBytes(handshake("PLAIN"));
            bytes.writeBytes(raw("user fuzz"));
        }
        for (int pieces = 1 + random.nextInt(MOST_PIECES); pieces > 0; pieces--) {
            bytes.writeBytes(random.nextInt(5) == 0 ? spoiled(piece()) : piece());
        }
        return bytes.toByteArray();
    }

    private byte[] piece() {
        return switch (random.nextInt(9)) {
            case 0 -> TestClient.frame(Apis.API_VERSIONS, random.nextInt(5), 1, versions());
            case 1, 2, 3 -> handshake(oneOf("PLAIN", "PLAIN", "OTHER", "ABSENT", "", "x"));
            case 4, 5 -> TestClient.frame(Apis.SASL_AUTHENTICATE, random.nextInt(3), 3, message(token()));
            case 6 -> raw(token());
            case 7 -> TestClient.frame(Apis.HEARTBEAT, 4, 4, heartbeat());
            default -> noise();
        };
    }

    private byte[] handshake(String mechanism) {
        SaslHandshakeRequestData request = new SaslHandshakeRequestData().setMechanism(mechanism);
        return TestClient.frame(Apis.SASL_HANDSHAKE, random.nextInt(2), 2, request);
    }

    private static ApiVersionsRequestData versions() {
        return new ApiVersionsRequestData().setClientSoftwareName("fuzz").setClientSoftwareVersion("1");
    }

    private String token() {
        return oneOf("user fuzz", "challenge 1", "refuse", "wait", "fail", "", "user fuzz", "x".repeat(20_000));
    }

    private String oneOf(String... choices) {
        return choices[random.nextInt(choices.length)];
    }

    private byte[] noise() {
        byte[] noise = new byte[random.nextInt(300)];
        random.nextBytes(noise);
        return noise;
    }

    private byte[] spoiled(byte[] good) {
        if (good.length < 5) {
            return good;
        }
        ByteBuffer frame = ByteBuffer.wrap(good.clone());
        switch (random.nextInt(4)) {
            case 0 -> frame.putInt(0, random.nextInt());
            case 1 -> frame.putInt(0, frame.getInt(0) + random.nextInt(20) - 10);
            case 2 -> {
                int at = random.nextInt(good.length);
                frame.put(at, (byte) (frame.get(at) ^ 1 << random.nextInt(8)));
            }
            default -> {
                return Arrays.copyOf(good, random.nextInt(good.length));
            }
        }
        return frame.array();
    }
}
