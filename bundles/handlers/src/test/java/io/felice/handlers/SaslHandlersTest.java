package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Authenticator.Challenge;
import io.felice.api.security.Principal;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.SaslSession;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.junit.jupiter.api.Test;

class SaslHandlersTest {
    private final FakeAuthentication authentication = new FakeAuthentication();
    private final FakeSaslSession session = new FakeSaslSession();
    private Optional<SaslSession> sasl = Optional.of(session);

    @Test
    void aHandshakeBeginsALoginAndTellsTheMechanisms() throws Exception {
        SaslHandshakeResponseData answer = handshake("PLAIN", 1);

        assertThat(answer.errorCode()).isZero();
        assertThat(answer.mechanisms()).containsExactly("PLAIN", "ABSENT");
        assertThat(session.login()).isPresent();
        assertThat(session.isRaw).isFalse();
    }

    @Test
    void afterHandshakeVersionZeroTheMessagesHaveNoHeader() throws Exception {
        handshake("PLAIN", 0);

        assertThat(session.isRaw).isTrue();
    }

    @Test
    void aMechanismThatIsNotOfferedEndsTheLogin() throws Exception {
        SaslHandshakeResponseData answer = handshake("plain", 1);

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.UNSUPPORTED_SASL_MECHANISM.code());
        assertThat(answer.mechanisms()).containsExactly("PLAIN", "ABSENT");
        assertThat(session.hasFailed).isTrue();
    }

    @Test
    void anOfferedMechanismWithoutAnAuthenticatorClosesTheConnection() {
        assertThatThrownBy(() -> handshake("ABSENT", 1))
                .isInstanceOf(CloseConnection.class)
                .hasMessageContaining("ABSENT")
                .hasMessageContaining("SAFE");
    }

    @Test
    void onAListenerWithoutSaslLoginsAreIllegal() throws Exception {
        sasl = Optional.empty();

        assertThat(handshake("PLAIN", 1).errorCode()).isEqualTo(ErrorCode.ILLEGAL_SASL_STATE.code());
        assertThat(handshake("PLAIN", 1).mechanisms()).isEmpty();
        assertThat(authenticate().errorCode()).isEqualTo(ErrorCode.ILLEGAL_SASL_STATE.code());
        assertThat(authenticate().errorMessage()).isNotEmpty();
    }

    @Test
    void aSecondHandshakeEndsTheLogin() throws Exception {
        handshake("PLAIN", 1);

        assertThat(handshake("PLAIN", 1).errorCode()).isEqualTo(ErrorCode.ILLEGAL_SASL_STATE.code());
        assertThat(session.hasFailed).isTrue();
    }

    @Test
    void aMessageWithoutAHandshakeEndsTheLogin() throws Exception {
        assertThat(authenticate().errorCode()).isEqualTo(ErrorCode.ILLEGAL_SASL_STATE.code());
        assertThat(session.hasFailed).isTrue();
    }

    @Test
    void whoIsLoggedInStaysSoAfterMessagesThatComeTooEarly() throws Exception {
        handshake("PLAIN", 1);
        authentication.answer(new Authenticated(new byte[0], Principal.user("alice"), Optional.empty()));
        authenticate();

        assertThat(handshake("PLAIN", 1).errorCode()).isEqualTo(ErrorCode.ILLEGAL_SASL_STATE.code());
        assertThat(authenticate().errorCode()).isEqualTo(ErrorCode.ILLEGAL_SASL_STATE.code());
        assertThat(session.hasFailed).isFalse();
        assertThat(session.isLoggedIn()).isTrue();
    }

    @Test
    void aChallengeGoesToTheClientAndTheLoginGoesOn() throws Exception {
        handshake("PLAIN", 1);
        authentication.answer(new Challenge(new byte[] {7}));

        SaslAuthenticateResponseData answer = authenticate();

        assertThat(answer.errorCode()).isZero();
        assertThat(answer.authBytes()).containsExactly(7);
        assertThat(answer.sessionLifetimeMs()).isZero();
        assertThat(session.login()).isPresent();
    }

    @Test
    void aClientThatIsAuthenticatedGetsTheLifetimeOfItsSession() throws Exception {
        handshake("PLAIN", 1);
        authentication.answer(new Authenticated(new byte[] {8}, Principal.user("alice"), Optional.empty()));

        SaslAuthenticateResponseData answer = authenticate();

        assertThat(answer.authBytes()).containsExactly(8);
        assertThat(answer.sessionLifetimeMs()).isEqualTo(FakeSaslSession.LIFETIME_MS);
        assertThat(session.isLoggedIn()).isTrue();
    }

    @Test
    void aRefusedClientGetsTheSentence() throws Exception {
        handshake("PLAIN", 1);

        SaslAuthenticateResponseData answer = authenticate();

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED.code());
        assertThat(answer.errorMessage()).isEqualTo("the sentence for the client");
        assertThat(session.hasFailed).isTrue();
        assertThat(session.isLoggedIn()).isFalse();
    }

    @Test
    void aClientThatTheConnectionRefusesGetsTheSentence() throws Exception {
        handshake("PLAIN", 1);
        authentication.answer(new Authenticated(new byte[0], Principal.user(""), Optional.empty()));

        SaslAuthenticateResponseData answer = authenticate();

        assertThat(answer.errorCode()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED.code());
        assertThat(answer.errorMessage()).isEqualTo("another principal");
        assertThat(session.hasFailed).isTrue();
    }

    @Test
    void theConnectionIsClosedIfNobodyCanDecideNow() throws Exception {
        handshake("PLAIN", 1);
        authentication.fail(ErrorCode.REQUEST_TIMED_OUT.because("the authenticator has gone"));

        assertThatThrownBy(this::authenticate)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(CloseConnection.class)
                .hasMessage("the authenticator has gone");
        assertThat(session.hasFailed).isTrue();
    }

    @Test
    void anAccidentOfTheAuthenticationEndsTheLogin() throws Exception {
        handshake("PLAIN", 1);
        IllegalStateException accident = new IllegalStateException("on purpose");
        authentication.fail(accident);

        assertThatThrownBy(this::authenticate)
                .isInstanceOf(ExecutionException.class)
                .hasCause(accident);
        assertThat(session.hasFailed).isTrue();
    }

    private SaslHandshakeResponseData handshake(String mechanism, int version) throws Exception {
        SaslHandshakeRequestData request = new SaslHandshakeRequestData().setMechanism(mechanism);
        return new SaslHandshakeHandler(authentication)
                .handle(request, Asking.context(request, version, new Asking.FakeConnection("SAFE", sasl)))
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
    }

    private SaslAuthenticateResponseData authenticate() throws Exception {
        SaslAuthenticateRequestData request = new SaslAuthenticateRequestData().setAuthBytes(new byte[] {1});
        return new SaslAuthenticateHandler(authentication)
                .handle(request, Asking.context(request, 2, new Asking.FakeConnection("SAFE", sasl)))
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
    }
}
