package io.felice.network;

import static io.felice.network.SaslNode.heartbeat;
import static io.felice.network.SaslNode.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.protocol.Apis;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** Every kind of request in every state of a login. */
@Timeout(120)
class SaslStatesTest {
    /**
     * A number is the error code of the answer. With {@code x} the connection is closed, after the answer if there is
     * one.
     */
    private static final String EXPECTED =
            """
                               NO_SASL  NEW  CHOSEN  RAW  LOGGED_IN  SESSION  EXTENDING  ENDED
            API_VERSIONS             0    0       0    x          0        0          0      0
            TOO_NEW                 35   35      35    x         35       35         35     35
            HANDSHAKE_0             34    0     34x    x         34        0        34x      0
            HANDSHAKE_1             34    0     34x    x         34        0        34x      0
            NO_MECHANISM            34  33x     34x    x         34      33x        34x    33x
            AUTHENTICATE_0          34  34x       0    x         34       34          0     34
            AUTHENTICATE_2          34  34x       0    x         34       34          0     34
            REFUSED                 34  34x     58x    x         34       34        58x     34
            HEARTBEAT                0    x       x    x          0        0          x      x
            UNKNOWN_KEY              x    x       x    x          x        x          x      x
            OLD_PRODUCE              x    x       x    x          x        x          x      x
            """;

    private enum State {
        NO_SASL,
        NEW,
        CHOSEN,
        RAW,
        LOGGED_IN,
        SESSION,
        EXTENDING,
        ENDED
    }

    private final SaslNode node = new SaslNode();

    @AfterEach
    void close() {
        node.close();
    }

    @TestFactory
    List<DynamicTest> everyRequestInEveryStateIsAnsweredOrClosesTheConnectionAsTheTableSays() {
        List<DynamicTest> tests = new ArrayList<>();
        List<String> lines = EXPECTED.lines().toList();
        List<String> states = Arrays.asList(lines.get(0).trim().split(" +"));
        assertThat(states)
                .isEqualTo(Arrays.stream(State.values()).map(State::name).toList());
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.trim().split(" +");
            for (int column = 1; column < cells.length; column++) {
                State state = State.values()[column - 1];
                String expected = cells[column];
                tests.add(DynamicTest.dynamicTest(cells[0] + " when " + state, () -> {
                    try (TestClient client = in(state)) {
                        assertThat(outcome(client, cells[0])).isEqualTo(expected);
                    }
                }));
            }
        }
        return tests;
    }

    private TestClient in(State state) throws IOException {
        node.authentication.validUntil = Optional.empty();
        return switch (state) {
            case NO_SASL -> node.node.connect(SaslNode.OPEN);
            case NEW -> node.connect();
            case CHOSEN -> chosen(node.connect(), 1);
            case RAW -> chosen(node.connect(), 0);
            case LOGGED_IN -> node.connect("alice");
            case SESSION -> session();
            case EXTENDING -> chosen(session(), 1);
            case ENDED -> ended();
        };
    }

    private static TestClient chosen(TestClient client, int version) throws IOException {
        client.ask(Apis.SASL_HANDSHAKE, version, 1, mechanism("PLAIN"), new SaslHandshakeResponseData());
        return client;
    }

    private TestClient session() throws IOException {
        node.authentication.validUntil = Optional.of(Instant.now().plusSeconds(3600));
        return node.connect("alice");
    }

    private TestClient ended() throws IOException {
        Instant end = Instant.now().plusMillis(300);
        node.authentication.validUntil = Optional.of(end);
        TestClient client = node.connect("alice");
        await().until(() -> Instant.now().isAfter(end.plusMillis(10)));
        node.authentication.validUntil = Optional.empty();
        return client;
    }

    private static SaslHandshakeRequestData mechanism(String name) {
        return new SaslHandshakeRequestData().setMechanism(name);
    }

    private static String outcome(TestClient client, String asked) throws IOException {
        String error;
        try {
            error = Integer.toString(ask(client, asked));
        } catch (EOFException | SocketException closed) {
            return "x";
        }
        return isOpen(client) ? error : error + "x";
    }

    private static int ask(TestClient client, String asked) throws IOException {
        switch (asked) {
            case "API_VERSIONS":
                return versions(client).errorCode();
            case "TOO_NEW":
                byte[] tooNew = TestClient.frame(Apis.API_VERSIONS, 3, 5, new ApiVersionsRequestData());
                client.sendRaw(ByteBuffer.wrap(tooNew).putShort(6, (short) 17).array());
                return client.receive(Apis.API_VERSIONS, 0, 5, new ApiVersionsResponseData())
                        .errorCode();
            case "HANDSHAKE_0":
                return handshake(client, 0, "PLAIN");
            case "HANDSHAKE_1":
                return handshake(client, 1, "PLAIN");
            case "NO_MECHANISM":
                return handshake(client, 1, "NONE");
            case "AUTHENTICATE_0":
                return authenticate(client, 0, "user alice");
            case "AUTHENTICATE_2":
                return authenticate(client, 2, "user alice");
            case "REFUSED":
                return authenticate(client, 2, "refuse");
            case "HEARTBEAT":
                return client.ask(Apis.HEARTBEAT, 4, 5, heartbeat(), new HeartbeatResponseData())
                        .errorCode();
            case "UNKNOWN_KEY":
                byte[] unknown = TestClient.frame(Apis.HEARTBEAT, 4, 5, heartbeat());
                client.sendRaw(ByteBuffer.wrap(unknown).putShort(4, (short) 199).array());
                return client.receive().getInt();
            case "OLD_PRODUCE":
                byte[] old = TestClient.frame(Apis.HEARTBEAT, 0, 5, heartbeat());
                client.sendRaw(ByteBuffer.wrap(old).putShort(4, Apis.PRODUCE).array());
                return client.receive().getInt();
            default:
                throw new IllegalArgumentException(asked);
        }
    }

    private static int handshake(TestClient client, int version, String mechanism) throws IOException {
        return client.ask(Apis.SASL_HANDSHAKE, version, 5, mechanism(mechanism), new SaslHandshakeResponseData())
                .errorCode();
    }

    private static int authenticate(TestClient client, int version, String text) throws IOException {
        return client.ask(Apis.SASL_AUTHENTICATE, version, 5, message(text), new SaslAuthenticateResponseData())
                .errorCode();
    }

    private static ApiVersionsResponseData versions(TestClient client) throws IOException {
        return client.ask(Apis.API_VERSIONS, 3, 6, new ApiVersionsRequestData(), new ApiVersionsResponseData());
    }

    /** After SaslHandshake v0 the next frame is a message of the mechanism. */
    private static boolean isOpen(TestClient client) throws IOException {
        return !client.isClosed(150);
    }
}
