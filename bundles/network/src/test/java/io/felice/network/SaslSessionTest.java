package io.felice.network;

import static io.felice.network.FakeAuthentication.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Principal;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SaslSessionTest {
    private static final Instant NOW = Instant.parse("2026-11-30T12:00:00Z");

    private final FakeAuthentication authentication = new FakeAuthentication();
    private final ListenerCounters counters = new ListenerCounters();
    private final AtomicLong seconds = new AtomicLong();
    private SaslSettings settings = settings(Duration.ZERO);
    private final Sasl sasl = new Sasl(
            new Authenticator.Client(InetAddress.getLoopbackAddress(), "SAFE", false),
            () -> settings,
            counters,
            () -> TimeUnit.SECONDS.toNanos(seconds.get()),
            () -> NOW);

    @Test
    void theShorterOfSettingAndCredentialEndsTheSession() {
        assertThat(logIn("alice", Optional.empty())).isZero();
        assertThat(logIn("alice", Optional.of(NOW.plusMillis(5)))).isEqualTo(5);
        assertThat(logIn("alice", Optional.of(NOW.plusNanos(1_000_000)))).isEqualTo(1);
        settings = settings(Duration.ofSeconds(60));
        assertThat(logIn("alice", Optional.empty())).isEqualTo(60_000);
        assertThat(logIn("alice", Optional.of(NOW.plusSeconds(59)))).isEqualTo(59_000);
        assertThat(logIn("alice", Optional.of(NOW.plusSeconds(61)))).isEqualTo(60_000);
        assertThat(logIn("alice", Optional.of(Instant.MAX))).isEqualTo(60_000);
    }

    @Test
    void anExpiredCredentialLogsNobodyIn() {
        for (Instant expired : List.of(NOW, NOW.minusMillis(1), Instant.MIN)) {
            assertThatThrownBy(() -> logIn("alice", Optional.of(expired)))
                    .isInstanceOfSatisfying(FeliceException.class, failure -> assertThat(failure.code())
                            .isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED));
            assertThat(sasl.principal()).isEmpty();
        }
    }

    @Test
    void aSessionThatDoesNotEndIsNotExtended() {
        assertThat(sasl.mayBegin()).isTrue();
        logIn("alice", Optional.empty());
        assertThat(sasl.mayBegin()).isFalse();
        assertThat(sasl.isLoggedIn()).isTrue();
    }

    @Test
    void aSessionIsExtendedAtMostOnceASecond() {
        logIn("alice", Optional.of(NOW.plusSeconds(600)));
        assertThat(sasl.mayBegin()).isTrue();

        logIn("alice", Optional.of(NOW.plusSeconds(600)));
        assertThat(sasl.mayBegin()).isFalse();
        seconds.incrementAndGet();
        assertThat(sasl.mayBegin()).isTrue();
    }

    @Test
    void noLoginBeginsWhileAnotherGoesOnOrAfterARefusal() {
        sasl.begun("PLAIN", login(), false);
        assertThat(sasl.mayBegin()).isFalse();
        sasl.failed();
        assertThat(sasl.mayBegin()).isFalse();
        assertThat(sasl.after(Phase.KNOWN)).isEqualTo(Phase.DRAINING);
    }

    @Test
    void thePrincipalStaysWhenALoginToExtendTheSessionIsRefused() {
        logIn("alice", Optional.of(NOW.plusSeconds(600)));

        assertThatThrownBy(() -> logIn("bob", Optional.empty())).isInstanceOf(FeliceException.class);

        assertThat(sasl.principal()).contains(Principal.user("alice"));
    }

    @Test
    void everyLoginIsClosedOnceHoweverItEnds() {
        sasl.begun("PLAIN", login(), false);
        sasl.begun("PLAIN", login(), false);
        assertThat(authentication.closed).hasValue(1);
        sasl.failed();
        assertThat(authentication.closed).hasValue(2);
        sasl.begun("PLAIN", login(), false);
        assertThat(authentication.closed).hasValue(3);
        sasl.close();
        sasl.begun("PLAIN", login(), false);
        assertThat(authentication.closed).hasValue(4);
        assertThat(sasl.login()).isEmpty();
    }

    @Test
    void aLoginThatSucceedsAfterTheConnectionWasClosedChangesNothing() {
        sasl.begun("PLAIN", login(), false);
        sasl.close();

        assertThatThrownBy(
                        () -> sasl.succeeded(new Authenticated(new byte[0], Principal.user("alice"), Optional.empty())))
                .isInstanceOf(FeliceException.class);

        assertThat(sasl.principal()).isEmpty();
        assertThat(counters.unauthenticated).hasValue(0);
        assertThat(counters.logins).hasValue(0);
    }

    @Test
    void aConnectionCountsAsUnauthenticatedUntilItLogsInOrCloses() {
        assertThat(counters.unauthenticated).hasValue(1);
        logIn("alice", Optional.of(NOW.plusSeconds(600)));
        assertThat(counters.unauthenticated).hasValue(0);
        logIn("alice", Optional.of(NOW.plusSeconds(600)));
        sasl.close();
        sasl.close();
        assertThat(counters.unauthenticated).hasValue(0);
        assertThat(counters.logins).hasValue(2);
    }

    private long logIn(String user, Optional<Instant> validUntil) {
        sasl.begun("PLAIN", login(), false);
        return sasl.succeeded(new Authenticated(bytes("welcome"), Principal.user(user), validUntil));
    }

    private Authentication.Login login() {
        return authentication.begin("PLAIN", sasl.client());
    }

    private static SaslSettings settings(Duration reauthentication) {
        return new SaslSettings(Map.of("SAFE", List.of("PLAIN")), reauthentication, 1000, Duration.ofSeconds(30));
    }
}
