package io.felice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When a broker stops acknowledging what only it has. */
class SelfFenceTest {
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final SelfFence fence = new SelfFence(nanos::get);

    private void pass(long ms, boolean connected) {
        for (long left = ms; left > 0; left -= SelfFence.BEAT_MS) {
            nanos.addAndGet(Duration.ofMillis(SelfFence.BEAT_MS).toNanos());
            fence.beat(connected);
        }
    }

    @Test
    void aConnectedBrokerAcknowledges() {
        pass(60_000, true);

        assertThat(fence.mayAcknowledgeAlone()).isTrue();
    }

    @Test
    void aShortLossOfTheStoreChangesNothing() {
        pass(4_000, false);

        assertThat(fence.mayAcknowledgeAlone()).isTrue();
    }

    /** The session may have had a third of its timeout left when the store noticed. */
    @Test
    void theFenceFallsBeforeTheSessionEnds() {
        pass(6_000, false);

        assertThat(fence.mayAcknowledgeAlone()).isFalse();
        pass(250, true);
        assertThat(fence.mayAcknowledgeAlone()).isTrue();
    }

    @Test
    void aShorterSessionMeansAShorterPatience() {
        fence.sessionIs(Duration.ofSeconds(6));

        pass(2_000, false);

        assertThat(fence.mayAcknowledgeAlone()).isFalse();
    }

    /** A process that was stopped by a signal looks at the clock before anything else runs in it. */
    @Test
    void aProcessThatWasPausedAcknowledgesNothingBeforeItsSessionIsConfirmed() {
        pass(1_000, true);
        nanos.addAndGet(Duration.ofSeconds(30).toNanos());

        assertThat(fence.mayAcknowledgeAlone()).isFalse();

        pass(1_000, true);
        assertThat(fence.mayAcknowledgeAlone()).isFalse();
        pass(5_000, true);
        assertThat(fence.mayAcknowledgeAlone()).isTrue();
    }
}
