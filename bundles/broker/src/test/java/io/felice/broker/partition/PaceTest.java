package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long SECOND = 1_000_000_000;

    private final AtomicLong nanos = new AtomicLong();
    private final AtomicLong waited = new AtomicLong();
    private volatile double rate = 1_000;

    /** Each wait lets a millisecond pass. */
    private final Pace pace = new Pace(() -> rate, nanos::get, () -> {
        nanos.addAndGet(SECOND / 1_000);
        waited.incrementAndGet();
    });

    @Test
    void soManyBytesTakeSoMuchTime() {
        for (int i = 0; i < 30; i++) {
            pace.moved(100);
        }

        assertThat(waited.get()).isBetween(2_990L, 3_010L);
    }

    @Test
    void theTimeBetweenTwoCallsCounts() {
        pace.moved(100);
        waited.set(0);
        nanos.addAndGet(SECOND / 2);

        pace.moved(500);

        assertThat(waited.get()).isLessThanOrEqualTo(1);
    }

    @Test
    void aLongPauseIsNoReasonToHurryForLong() {
        nanos.addAndGet(1_000 * SECOND);

        pace.moved(10_000);

        assertThat(waited.get()).isBetween(8_900L, 9_100L);
    }

    @Test
    void aChangedRateIsInForceInTheMiddleOfAWait() {
        rate = 1;
        Pace slow = new Pace(() -> rate, nanos::get, () -> {
            nanos.addAndGet(SECOND);
            rate = waited.incrementAndGet() < 3 ? 1 : Double.MAX_VALUE;
        });

        slow.moved(1_000_000_000);

        assertThat(waited.get()).isEqualTo(3);
    }

    @Test
    void aWaitEndsWhenThereIsNothingToWaitForAnyMore() {
        Pace ending = new Pace(() -> 1, nanos::get, () -> {
            throw new IllegalStateException("closed");
        });

        assertThatThrownBy(() -> ending.moved(1_000)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void withoutALimitNobodyWaits() {
        rate = Double.MAX_VALUE;

        for (int i = 0; i < 100; i++) {
            pace.moved(1L << 40);
        }

        assertThat(waited.get()).isZero();
    }
}
