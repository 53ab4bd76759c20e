package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;

/** Waits until a condition is true, for three minutes at most. */
final class Eventually {
    private static final long PATIENCE_MINUTES = 3;

    private Eventually() {}

    interface Condition {
        boolean holds() throws Exception;
    }

    static void await(String what, Condition condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
        while (!condition.holds()) {
            assertThat(System.nanoTime())
                    .as(what + " took longer than " + PATIENCE_MINUTES + " minutes")
                    .isLessThan(end);
            Thread.sleep(100);
        }
    }
}
