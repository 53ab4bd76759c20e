package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class PhaseTest {
    private static final Phase LINGERING = new Phase.Lingering(1000);
    private static final List<Phase> ALL =
            List.of(Phase.FRESH, Phase.KNOWN, Phase.DRAINING, Phase.CLOSING, LINGERING, Phase.CLOSED);

    @Test
    void requestsBeginOnlyBeforeTheConnectionDrainsOrCloses() {
        assertThat(ALL).filteredOn(Phase::beginsRequests).containsExactly(Phase.FRESH, Phase.KNOWN);
    }

    @Test
    void aWellFormedRequestChangesOnlyTheFreshPhase() {
        assertThat(after(Phase::known))
                .containsExactly(Phase.KNOWN, Phase.KNOWN, Phase.DRAINING, Phase.CLOSING, LINGERING, Phase.CLOSED);
    }

    @Test
    void drainingDoesNotKeepAClosingConnectionOpen() {
        assertThat(after(Phase::drain))
                .containsExactly(
                        Phase.DRAINING, Phase.DRAINING, Phase.DRAINING, Phase.CLOSING, LINGERING, Phase.CLOSED);
    }

    @Test
    void aRequestWithoutAnAnswerClosesEveryConnectionThatDoesNotLinger() {
        assertThat(after(Phase::closeWhenSent))
                .containsExactly(Phase.CLOSING, Phase.CLOSING, Phase.CLOSING, Phase.CLOSING, LINGERING, Phase.CLOSED);
    }

    @Test
    void lingeringEndsAfterItsTimeFromItsFirstBeginning() {
        Phase lingering = Phase.DRAINING.linger(1000).linger(5000);

        assertThat(lingering.isOver(1500, 500)).isFalse();
        assertThat(lingering.isOver(1501, 500)).isTrue();
        assertThat(Phase.DRAINING.isOver(Long.MAX_VALUE, 0)).isFalse();
    }

    private static List<Phase> after(UnaryOperator<Phase> event) {
        return ALL.stream().map(event).toList();
    }
}
