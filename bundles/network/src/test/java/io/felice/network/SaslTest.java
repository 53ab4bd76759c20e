package io.felice.network;

import static io.felice.network.FakeAuthentication.bytes;
import static io.felice.network.SaslNode.authenticate;
import static io.felice.network.SaslNode.beat;
import static io.felice.network.SaslNode.handshake;
import static io.felice.network.SaslNode.heartbeat;
import static io.felice.network.SaslNode.logIn;
import static io.felice.network.SaslNode.message;
import static io.felice.network.SaslNode.raw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.protocol.Apis;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients log in by SASL, and do nothing else before. */
@Timeout(60)
class SaslTest {
    private static final int PATIENCE_MS = 30_000;

    private SaslNode node = new SaslNode();

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void theRequestsAfterALoginHaveThePrincipal() throws IOException {
        try (TestClient client = node.connect()) {
            SaslHandshakeResponseData offered = handshake(client, "PLAIN");
            SaslAuthenticateResponseData challenge = authenticate(client, "challenge 1");
            SaslAuthenticateResponseData welcome = authenticate(client, "user alice");
            beat(client);

            assertThat(offered.errorCode()).isZero();
            assertThat(offered.mechanisms()).containsExactly("PLAIN", "OTHER", "ABSENT");
            assertThat(challenge.authBytes()).isEqualTo(bytes("challenge 1"));
            assertThat(welcome.errorCode()).isZero();
            assertThat(welcome.authBytes()).isEqualTo(bytes("welcome alice"));
            assertThat(welcome.sessionLifetimeMs()).isZero();
            assertThat(node.principals).containsExactly("User:alice");
            assertThat(node.count("logins")).isEqualTo(1);
            assertThat(node.authentication.closed).hasValue(1);
        }
    }

    @Test
    void aClientThatHasNotLoggedInIsCounted() throws IOException {
        try (TestClient stranger = node.connect();
                TestClient alice = node.connect("alice")) {
            beat(alice);
            node.await("unauthenticated", 1);
            assertThat(node.count("open")).isEqualTo(2);
            assertThat(handshake(stranger, "PLAIN").errorCode()).isZero();
            assertThat(node.count("unauthenticated")).isEqualTo(1);
        }
        node.awaitNothingUsed();
    }

    @Test
    void aClientThatIsRefusedGetsTheSentenceAndThenTheEndOfTheStream() throws IOException {
        try (TestClient client = node.connect()) {
            handshake(client, "PLAIN");

            SaslAuthenticateResponseData refused = authenticate(client, "refuse " + FakeAuthentication.SECRET);

            assertThat(refused.errorCode()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED.code());
            assertThat(refused.errorMessage()).isEqualTo("the sentence for the client");
            assertThat(client.endsWithin(PATIENCE_MS)).isTrue();
        }
        node.await("refused.logins", 1);
        node.awaitNothingUsed();
    }

    @Test
    void aLoginThatFailsByAccidentLetsNobodyIn() throws IOException {
        try (TestClient client = node.connect()) {
            handshake(client, "PLAIN");

            SaslAuthenticateResponseData answer = authenticate(client, "fail now");

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.UNKNOWN_SERVER_ERROR.code());
            assertThat(client.endsWithin(PATIENCE_MS)).isTrue();
        }
        assertThat(node.authentication.closed).hasValue(1);
    }

    @Test
    void aClientThatChoosesAMechanismThatIsNotOfferedLearnsWhichAre() throws IOException {
        try (TestClient client = node.connect()) {
            SaslHandshakeResponseData answer = handshake(client, "GSSAPI");

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.UNSUPPORTED_SASL_MECHANISM.code());
            assertThat(answer.mechanisms()).containsExactly("PLAIN", "OTHER", "ABSENT");
            assertThat(client.endsWithin(PATIENCE_MS)).isTrue();
        }
    }

    @Test
    void aClientThatChoosesAnOfferedMechanismWithoutAnAuthenticatorMayTryAgain() throws IOException {
        try (TestClient client = node.connect()) {
            client.send(Apis.SASL_HANDSHAKE, 1, 1, new SaslHandshakeRequestData().setMechanism("ABSENT"));

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        assertThat(node.count("refused.logins")).isEqualTo(1);
    }

    @Test
    void changedMechanismsAreOfferedOnOpenConnections() throws IOException {
        try (TestClient client = node.connect()) {
            node.node.change("sasl_enabled_mechanisms", new String[] {"OTHER"});

            await().until(() -> handshakeOfNewClient().equals(List.of("OTHER")));

            assertThat(handshake(client, "PLAIN").mechanisms()).containsExactly("OTHER");
        }
    }

    private List<String> handshakeOfNewClient() throws IOException {
        try (TestClient client = node.connect()) {
            return handshake(client, "OTHER").mechanisms();
        }
    }

    @Test
    void requestsBehindALoginWaitForItAndHaveItsPrincipal() throws IOException {
        try (TestClient client = node.connect()) {
            client.send(Apis.SASL_HANDSHAKE, 1, 1, new SaslHandshakeRequestData().setMechanism("PLAIN"));
            client.send(Apis.SASL_AUTHENTICATE, 2, 2, message("wait"));
            client.send(Apis.HEARTBEAT, 4, 3, heartbeat());
            client.send(Apis.HEARTBEAT, 4, 4, heartbeat());
            client.receive(Apis.SASL_HANDSHAKE, 1, 1, new SaslHandshakeResponseData());
            node.node.awaitNumber("network.requests", "SaslAuthenticate", "in.flight", 1);
            assertThat(node.principals).isEmpty();

            node.authentication.answerWaiting("alice");

            client.receive(Apis.SASL_AUTHENTICATE, 2, 2, new SaslAuthenticateResponseData());
            assertThat(client.receiveCorrelationId()).isEqualTo(3);
            assertThat(client.receiveCorrelationId()).isEqualTo(4);
            assertThat(node.principals).containsExactly("User:alice", "User:alice");
        }
    }

    @Test
    void requestsBehindARefusedLoginDoNotBegin() throws IOException {
        try (TestClient client = node.connect()) {
            handshake(client, "PLAIN");
            client.send(Apis.SASL_AUTHENTICATE, 2, 2, message("refuse"));
            client.send(Apis.HEARTBEAT, 4, 3, heartbeat());

            client.receive(Apis.SASL_AUTHENTICATE, 2, 2, new SaslAuthenticateResponseData());
            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        assertThat(node.principals).isEmpty();
    }

    // ---- without headers ----

    @Test
    void afterHandshakeVersionZeroTheMessagesHaveNoHeader() throws IOException {
        try (TestClient client = node.connect()) {
            rawHandshake(client);
            client.sendRaw(raw("challenge 1"));
            assertThat(client.receive()).isEqualTo(ByteBuffer.wrap(bytes("challenge 1")));
            client.sendRaw(raw("user bob"));
            assertThat(client.receive()).isEqualTo(ByteBuffer.wrap(bytes("welcome bob")));

            beat(client);

            assertThat(node.principals).containsExactly("User:bob");
        }
    }

    @Test
    void aClientThatIsRefusedWithoutHeadersGetsNoAnswer() throws IOException {
        try (TestClient client = node.connect()) {
            rawHandshake(client);
            client.sendRaw(raw("refuse me"));

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        node.await("refused.logins", 1);
    }

    @Test
    void messagesWithoutHeadersMayComeInOneByteAtATimeOrAllAtOnce() throws IOException {
        byte[] handshake =
                TestClient.frame(Apis.SASL_HANDSHAKE, 0, 1, new SaslHandshakeRequestData().setMechanism("PLAIN"));
        byte[] beat = TestClient.frame(Apis.HEARTBEAT, 4, 3, heartbeat());
        byte[] token = raw("user b");
        byte[] all = ByteBuffer.allocate(handshake.length + token.length + beat.length)
                .put(handshake)
                .put(token)
                .put(beat)
                .array();
        try (TestClient atOnce = node.connect();
                TestClient bytewise = node.connect()) {
            atOnce.sendRaw(all);
            for (byte one : all) {
                bytewise.sendRaw(new byte[] {one});
            }

            for (TestClient client : List.of(atOnce, bytewise)) {
                client.receive(Apis.SASL_HANDSHAKE, 0, 1, new SaslHandshakeResponseData());
                assertThat(client.receive()).isEqualTo(ByteBuffer.wrap(bytes("welcome b")));
                client.receive(Apis.HEARTBEAT, 4, 3, new HeartbeatResponseData());
            }
        }
    }

    /** The frame is shorter than the header of a request. */
    @Test
    void aShortMessageThatWaitsBehindTheHandshakeIsHandled() throws IOException {
        try (TestClient client = node.connect()) {
            byte[] handshake =
                    TestClient.frame(Apis.SASL_HANDSHAKE, 0, 1, new SaslHandshakeRequestData().setMechanism("PLAIN"));
            byte[] token = raw("x");
            client.sendRaw(ByteBuffer.allocate(handshake.length + token.length)
                    .put(handshake)
                    .put(token)
                    .array());

            client.receive(Apis.SASL_HANDSHAKE, 0, 1, new SaslHandshakeResponseData());
            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        node.await("refused.logins", 1);
    }

    private static void rawHandshake(TestClient client) throws IOException {
        client.ask(
                Apis.SASL_HANDSHAKE,
                0,
                1,
                new SaslHandshakeRequestData().setMechanism("PLAIN"),
                new SaslHandshakeResponseData());
    }

    // ---- limits ----

    @Test
    void aMessageOfALoginThatIsTooLargeClosesTheConnectionBeforeItIsReceived() throws IOException {
        node.node.change("sasl_server_max_receive_size", 1000);
        await().until(() -> {
            try (TestClient client = node.connect()) {
                handshake(client, "PLAIN");
                client.sendRaw(ByteBuffer.allocate(4).putInt(1001).array());
                return client.isClosed(100);
            }
        });
        try (TestClient client = node.connect()) {
            rawHandshake(client);
            client.sendRaw(ByteBuffer.allocate(4).putInt(1001).array());
            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        try (TestClient client = node.connect()) {
            handshake(client, "PLAIN");
            assertThat(authenticate(client, "user " + "a".repeat(900)).errorCode())
                    .isZero();
        }
        node.awaitNothingUsed();
    }

    @Test
    void otherRequestsBeforeTheLoginAreSmall() throws IOException {
        try (TestClient client = node.connect()) {
            client.sendRaw(ByteBuffer.allocate(4 + 8)
                    .putInt(Limits.BEFORE_LOGIN_BYTES + 1)
                    .putShort(Apis.API_VERSIONS)
                    .putShort((short) 3)
                    .putInt(1)
                    .array());

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        node.await("malformed", 1);
    }

    @Test
    void aClientThatDoesNotLogInInTimeIsClosed() throws IOException {
        node.close();
        node = new SaslNode(Map.of("sasl_login_timeout_ms", 300L));
        try (TestClient silent = node.connect();
                TestClient begun = node.connect();
                TestClient alice = node.connect("alice");
                TestClient open = node.node.connect(SaslNode.OPEN)) {
            handshake(begun, "PLAIN");
            begun.send(Apis.SASL_AUTHENTICATE, 2, 2, message("wait"));

            assertThat(silent.isClosed(PATIENCE_MS)).isTrue();
            assertThat(begun.isClosed(PATIENCE_MS)).isTrue();
            node.await("late.logins", 2);
            beat(alice);
            beat(open);
        }
        node.awaitNothingUsed();
        await().untilAsserted(() -> assertThat(node.authentication.closed).hasValue(2));
    }

    // ---- again ----

    @Test
    void aSessionLastsAsLongAsTheSettingAndTheCredentialAllow() throws IOException {
        node.close();
        node = new SaslNode(Map.of("connections_max_reauth_ms", 60_000L));

        node.authentication.validUntil = Optional.of(Instant.now().plusSeconds(30));
        assertThat(lifetime()).isBetween(1L, 30_000L);
        node.authentication.validUntil = Optional.of(Instant.MAX);
        assertThat(lifetime()).isEqualTo(60_000);
        node.authentication.validUntil = Optional.empty();
        assertThat(lifetime()).isEqualTo(60_000);
    }

    @Test
    void aCredentialEndsTheSessionAlsoWithoutTheSetting() throws IOException {
        node.authentication.validUntil = Optional.of(Instant.now().plusSeconds(30));
        assertThat(lifetime()).isBetween(1L, 30_000L);
        node.authentication.validUntil = Optional.of(Instant.now().minusSeconds(1));
        try (TestClient client = node.connect()) {
            assertThat(logIn(client, "alice").errorCode()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED.code());
            assertThat(client.endsWithin(PATIENCE_MS)).isTrue();
        }
    }

    private long lifetime() throws IOException {
        try (TestClient client = node.connect()) {
            return logIn(client, "alice").sessionLifetimeMs();
        }
    }

    @Test
    void aRequestAfterTheEndOfTheSessionClosesTheConnection() throws IOException {
        try (TestClient client = expired(200)) {
            client.send(Apis.HEARTBEAT, 4, 3, heartbeat());

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        node.await("sessions.ended", 1);
        assertThat(node.principals).isEmpty();
    }

    @Test
    void aClientMayExtendItsSessionAlsoAfterItsEnd() throws IOException {
        try (TestClient client = expired(200)) {
            node.authentication.validUntil = Optional.empty();
            client.ask(Apis.API_VERSIONS, 3, 1, new ApiVersionsRequestData(), new ApiVersionsResponseData());
            assertThat(logIn(client, "alice").errorCode()).isZero();
            beat(client);
        }
        assertThat(node.principals).containsExactly("User:alice");
    }

    @Test
    void whileAClientExtendsItsSessionItMayDoNothingElse() throws IOException {
        try (TestClient client = session()) {
            handshake(client, "PLAIN");
            client.send(Apis.HEARTBEAT, 4, 3, heartbeat());

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
        node.await("not.logged.in", 1);
    }

    @Test
    void aClientCannotBecomeAnotherPrincipal() throws IOException {
        try (TestClient client = session()) {
            SaslAuthenticateResponseData answer = logIn(client, "bob");

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED.code());
            assertThat(client.endsWithin(PATIENCE_MS)).isTrue();
        }
    }

    @Test
    void aClientCannotExtendItsSessionWithAnotherMechanism() throws IOException {
        try (TestClient client = session()) {
            handshake(client, "OTHER");
            SaslAuthenticateResponseData answer = authenticate(client, "user alice");

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED.code());
            assertThat(client.endsWithin(PATIENCE_MS)).isTrue();
        }
    }

    private TestClient session() throws IOException {
        node.authentication.validUntil = Optional.of(Instant.now().plusSeconds(60));
        return node.connect("alice");
    }

    /** A client whose session has ended. */
    private TestClient expired(long afterMs) throws IOException {
        Instant end = Instant.now().plusMillis(afterMs);
        node.authentication.validUntil = Optional.of(end);
        TestClient client = node.connect("alice");
        await().until(() -> Instant.now().isAfter(end.plusMillis(10)));
        return client;
    }

    // ---- the services are replaced ----

    @Test
    void aLoginInFlightEndsWithItsConnectionWhenItsServiceIsReplaced() throws IOException {
        try (TestClient client = node.connect()) {
            handshake(client, "PLAIN");
            client.send(Apis.SASL_AUTHENTICATE, 2, 2, message("wait"));
            node.node.awaitNumber("network.requests", "SaslAuthenticate", "in.flight", 1);

            node.unbindLogins();

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
            node.authentication.answerWaiting("alice");
        }
        node.awaitNothingUsed();
        assertThat(node.count("logins")).isZero();
    }

    @Test
    void aLoginBetweenTwoMessagesEndsWithItsConnectionWhenItsServiceIsReplaced() throws IOException {
        try (TestClient client = node.connect();
                TestClient alice = node.connect("alice")) {
            handshake(client, "PLAIN");

            node.unbindLogins();

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
            beat(alice);
        }
    }

    @Test
    void aHandshakeWaitsForTheServiceThatComesBack() throws IOException {
        node.unbindLogins();
        try (TestClient client = node.connect()) {
            client.send(Apis.SASL_HANDSHAKE, 1, 1, new SaslHandshakeRequestData().setMechanism("PLAIN"));
            node.node.awaitNumber("network.requests", "SaslHandshake", "held", 1);

            node.bindLogins();

            client.receive(Apis.SASL_HANDSHAKE, 1, 1, new SaslHandshakeResponseData());
            assertThat(authenticate(client, "user alice").errorCode()).isZero();
        }
    }

    @Test
    void aHandshakeThatHasWaitedTooLongClosesTheConnection() throws IOException {
        node.close();
        node = new SaslNode(Map.of("held_requests_ms", 200L));
        node.unbindLogins();
        try (TestClient client = node.connect()) {
            client.send(Apis.SASL_HANDSHAKE, 1, 1, new SaslHandshakeRequestData().setMechanism("PLAIN"));

            assertThat(client.isClosed(PATIENCE_MS)).isTrue();
        }
    }

    // ---- logs ----

    @Test
    void theRequestLogNamesThePrincipalAndNoLogHasAToken() throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        node.node.change("request_log", true);
        try (TestClient client = node.connect();
                TestClient failing = node.connect();
                TestClient refused = node.connect()) {
            System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
            handshake(client, "PLAIN");
            authenticate(client, "challenge " + FakeAuthentication.SECRET);
            authenticate(client, "user alice");
            handshake(failing, "PLAIN");
            authenticate(failing, "fail " + FakeAuthentication.SECRET);
            rawHandshake(refused);
            refused.sendRaw(raw("refuse " + FakeAuthentication.SECRET));

            await().untilAsserted(() -> {
                beat(client);
                assertThat(lines.toString(StandardCharsets.UTF_8))
                        .contains("principal=User:alice listener=SAFE")
                        .contains("SaslAuthenticate v2 correlation 2 of test as User:ANONYMOUS")
                        .doesNotContain(FakeAuthentication.SECRET);
            });
        } finally {
            System.setErr(before);
        }
    }
}
