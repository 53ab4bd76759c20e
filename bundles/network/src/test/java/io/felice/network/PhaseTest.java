package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class PhaseTest {
    private static final Phase LOGGING_IN = new Phase.LoggingIn(1000, false);
    private static final Phase RAW = new Phase.LoggingIn(1000, true);
    private static final Phase SESSION = new Phase.Session(System.nanoTime() + TimeUnit.HOURS.toNanos(1));
    private static final Phase ENDED = new Phase.Session(System.nanoTime() - 1);
    private static final Phase LINGERING = new Phase.Lingering(1000);
    private static final List<Phase> OPEN = List.of(Phase.FRESH, Phase.KNOWN, LOGGING_IN, RAW, SESSION, ENDED);
    private static final List<Phase> ALL = List.of(
            Phase.FRESH,
            Phase.KNOWN,
            LOGGING_IN,
            RAW,
            SESSION,
            ENDED,
            Phase.DRAINING,
            Phase.CLOSING,
            LINGERING,
            Phase.CLOSED);

    @Test
    void requestsBeginOnlyBeforeTheConnectionDrainsOrCloses() {
        assertThat(ALL).filteredOn(Phase::beginsRequests).isEqualTo(OPEN);
    }

    @Test
    void aWellFormedRequestChangesOnlyTheFreshPhase() {
        assertThat(after(Phase::known)).isEqualTo(changed(Phase.FRESH, Phase.KNOWN));
    }

    @Test
    void drainingDoesNotKeepAClosingConnectionOpen() {
        assertThat(ALL).allSatisfy(phase -> assertThat(phase.drain())
                .isEqualTo(OPEN.contains(phase) ? Phase.DRAINING : phase));
    }

    @Test
    void aRequestWithoutAnAnswerClosesEveryConnectionThatDoesNotLinger() {
        assertThat(ALL).allSatisfy(phase -> assertThat(phase.closeWhenSent())
                .isEqualTo(phase == LINGERING || phase == Phase.CLOSED ? phase : Phase.CLOSING));
    }

    @Test
    void lingeringEndsAfterItsTimeFromItsFirstBeginning() {
        Phase lingering = Phase.DRAINING.linger(1000).linger(5000);

        assertThat(lingering.isOver(1500, 500)).isFalse();
        assertThat(lingering.isOver(1501, 500)).isTrue();
        assertThat(Phase.DRAINING.isOver(Long.MAX_VALUE, 0)).isFalse();
    }

    @Test
    void onlyLoginsBeginBeforeTheClientHasLoggedInAndAfterItsSessionHasEnded() {
        Set<Short> ofLogins = Set.of(Apis.API_VERSIONS, Apis.SASL_HANDSHAKE, Apis.SASL_AUTHENTICATE);
        for (Api api : Apis.all()) {
            boolean ofLogin = ofLogins.contains(api.key());
            assertThat(ALL).allSatisfy(phase -> assertThat(phase.admits(api))
                    .as(phase + " " + ApiNames.of(api.key()))
                    .isEqualTo(ofLogin || !List.of(LOGGING_IN, RAW, ENDED).contains(phase)));
        }
    }

    @Test
    void oneRequestAtATimeBeginsWhileTheClientLogsIn() {
        assertThat(ALL).filteredOn(phase -> phase.mostInFlight(64) == 1).containsExactly(LOGGING_IN, RAW);
        assertThat(ALL).filteredOn(phase -> phase.mostInFlight(64) == 64).hasSize(ALL.size() - 2);
    }

    @Test
    void whoLogsInAgainGoesThroughTheSamePhaseAndNobodyReturnsFromTheEnd() {
        Phase again = new Phase.LoggingIn(7, false);

        assertThat(after(phase -> phase.logIn(7)))
                .containsExactly(
                        Phase.FRESH,
                        again,
                        LOGGING_IN,
                        RAW,
                        again,
                        again,
                        Phase.DRAINING,
                        Phase.CLOSING,
                        LINGERING,
                        Phase.CLOSED);
        assertThat(ALL).allSatisfy(phase -> {
            boolean logsIn = phase == LOGGING_IN || phase == RAW;
            assertThat(phase.loggedIn()).isEqualTo(logsIn ? Phase.KNOWN : phase);
            assertThat(phase.loggedInUntil(9)).isEqualTo(logsIn ? new Phase.Session(9) : phase);
            assertThat(phase.raw(true)).isEqualTo(logsIn ? RAW : phase);
            assertThat(phase.isRaw()).isEqualTo(phase == RAW);
        });
    }

    @Test
    void theTimeToLogInIsCountedFromItsBeginning() {
        assertThat(LOGGING_IN.raw(true).isLoggingInFor(500, 1500)).isFalse();
        assertThat(LOGGING_IN.raw(true).isLoggingInFor(500, 1501)).isTrue();
        assertThat(Phase.KNOWN.isLoggingInFor(0, Long.MAX_VALUE)).isFalse();
    }

    private static List<Phase> changed(Phase from, Phase to) {
        return after(phase -> phase == from ? to : phase);
    }

    private static List<Phase> after(UnaryOperator<Phase> event) {
        return ALL.stream().map(event).toList();
    }
}
