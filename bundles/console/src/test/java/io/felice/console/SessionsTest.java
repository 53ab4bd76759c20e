package io.felice.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Principal;
import io.felice.console.access.Session;
import io.felice.console.access.SessionState;
import io.felice.console.access.Sessions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Cookies of sessions, and how they end. */
class SessionsTest {
    private static final Principal ALICE = Principal.user("alice");

    private final SessionState state = SessionState.fresh();
    private Instant now = Instant.parse("2030-01-01T00:00:00Z");
    private final Sessions sessions = sessions(state);

    private Sessions sessions(SessionState kept) {
        Clock clock = new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now;
            }
        };
        return new Sessions(clock, kept, new Nothing(), Duration.ofMinutes(10), Duration.ofHours(1));
    }

    private static final class Nothing implements NodeServices {
        @Override
        public <T> Optional<T> find(Class<T> type) {
            return Optional.empty();
        }

        @Override
        public <T> List<T> all(Class<T> type) {
            return List.of();
        }
    }

    @Test
    void aSessionEndsWhenItWasNotUsedForAWhile() {
        String cookie = sessions.cookie(sessions.begin(ALICE));

        now = now.plus(Duration.ofMinutes(9));
        assertThat(sessions.find(cookie)).map(Session::principal).contains(ALICE);
        now = now.plus(Duration.ofMinutes(1));
        assertThat(sessions.find(cookie)).isEmpty();
    }

    @Test
    void aSessionThatIsUsedEndsAfterItsWholeTime() {
        Session session = sessions.begin(ALICE);
        for (int i = 0; i < 11; i++) {
            now = now.plus(Duration.ofMinutes(5));
            session = sessions.renewed(sessions.find(sessions.cookie(session)).orElseThrow())
                    .orElseThrow();
        }

        now = now.plus(Duration.ofMinutes(5));

        assertThat(sessions.find(sessions.cookie(session))).isEmpty();
    }

    @Test
    void aCookieOfAnotherKeyIsNone() {
        String cookie = sessions(SessionState.fresh()).cookie(sessions.begin(ALICE));

        assertThat(sessions.find(cookie)).isEmpty();
        assertThat(sessions.find(null)).isEmpty();
        assertThat(sessions.find("")).isEmpty();
        assertThat(sessions.find("a.b")).isEmpty();
        assertThat(sessions.find("..")).isEmpty();
        assertThat(sessions.find("x".repeat(100_000))).isEmpty();
    }

    @Test
    void anEndedSessionStaysEndedForAnotherObjectWithTheSameState() {
        Session session = sessions.begin(ALICE);
        sessions.end(session);

        assertThat(sessions(state).find(sessions.cookie(session))).isEmpty();
        assertThat(sessions(state).find(sessions.cookie(sessions.begin(ALICE)))).isPresent();
    }
}
