package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long SECOND = 1_000_000_000;

    private final AtomicLong nanos = new AtomicLong();
    private double rate = 1_000;
    private Runnable beforeEachWait = () -> {};
    private final Pace pace = new Pace(() -> rate, nanos::get, nanos::addAndGet, () -> beforeEachWait.run());

    private double seconds() {
        return (double) nanos.get() / SECOND;
    }

    @Test
    void bytesTakeAsMuchTimeAsTheRateSays() {
        for (int i = 0; i < 30; i++) {
            pace.moved(100);
        }

        assertThat(seconds()).isCloseTo(3, within(0.001));
    }

    @Test
    void theTimeBetweenTwoCallsCounts() {
        pace.moved(100);
        nanos.addAndGet(SECOND / 2);
        double before = seconds();

        pace.moved(500);

        assertThat(seconds()).isCloseTo(before, within(0.001));
    }

    @Test
    void aLongPauseIsMadeUpForByOneSecondAtMost() {
        nanos.addAndGet(1_000 * SECOND);
        double before = seconds();

        pace.moved(10_000);

        assertThat(seconds()).isCloseTo(before + 9, within(0.001));
    }

    @Test
    void aChangedRateIsInForceDuringAWait() {
        rate = 1;
        beforeEachWait = () -> rate = seconds() < 2 ? 1 : Double.MAX_VALUE;

        pace.moved(1_000_000_000);

        assertThat(seconds()).isBetween(2.0, 2.2);
    }

    @Test
    void aWaitEndsWhenTheLogIsClosed() {
        beforeEachWait = () -> {
            throw new IllegalStateException("closed");
        };

        assertThatThrownBy(() -> pace.moved(1_000)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void withoutALimitNobodyWaits() {
        rate = Double.MAX_VALUE;

        for (int i = 0; i < 100; i++) {
            pace.moved(1L << 40);
        }

        assertThat(nanos).hasValue(0);
    }
}
