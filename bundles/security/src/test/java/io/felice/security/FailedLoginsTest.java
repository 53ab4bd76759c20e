package io.felice.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Who fails often waits longer, and the table of failures stays small. */
class FailedLoginsTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1);
    private final FailedLogins failed = new FailedLogins(now::get);

    private int fail(String address, int delayMs) {
        return failed.delayMs(Fakes.address(address), "refused", delayMs);
    }

    @Test
    void manyFailuresOfAMinuteMakeTheDelayLongerForTheirAddressOnly() {
        for (int i = 0; i < FailedLogins.MANY_PER_MINUTE; i++) {
            assertThat(fail("10.0.0.1", 100)).isEqualTo(100);
        }
        assertThat(fail("10.0.0.1", 100)).isEqualTo(1_000);
        assertThat(fail("10.0.0.1", 5_000)).isEqualTo(FailedLogins.LONGEST_DELAY_MS);
        assertThat(fail("10.0.0.2", 100)).isEqualTo(100);

        now.addAndGet(TimeUnit.MINUTES.toNanos(1));

        assertThat(fail("10.0.0.1", 100)).isEqualTo(100);
    }

    @Test
    void onlyTheAddressesThatHaveFailedLastAreKept() {
        for (int i = 0; i <= FailedLogins.MOST_ADDRESSES; i++) {
            fail("10.0." + i / 256 + "." + i % 256, 100);
            fail("10.9.9.9", 100);
        }
        assertThat(failed.table().rows()).hasSize(FailedLogins.MOST_ADDRESSES);
        assertThat(failed.table().rows().toString()).contains("10.9.9.9").doesNotContain("10.0.0.0,");
    }
}
