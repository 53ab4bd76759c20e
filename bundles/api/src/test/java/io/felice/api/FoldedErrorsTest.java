package io.felice.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class FoldedErrorsTest {
    private long now;
    private final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(FoldedErrorsTest.class), () -> now);

    /** The log lines while {@code failing} runs so many times, once every tenth of a second. */
    private String logged(int times, Runnable failing) {
        PrintStream error = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        System.setErr(new PrintStream(lines, true));
        try {
            for (int i = 0; i < times; i++) {
                now += Duration.ofMillis(100).toNanos();
                failing.run();
            }
        } finally {
            System.setErr(error);
        }
        return lines.toString();
    }

    private void fail() {
        errors.error("Request " + now + " failed", new IllegalStateException("at " + now));
    }

    private void failInAnotherWay() {
        errors.error("Another failed", new RuntimeException(new IllegalArgumentException("another")));
    }

    private static long count(String lines, String part) {
        return lines.lines().filter(line -> line.contains(part)).count();
    }

    @Test
    void theFirstFailureOfACauseIsLoggedWithItsStackAndTheOthersAreCountedInOneLineAMinute() {
        String lines = logged(1_300, this::fail);

        assertThat(count(lines, "\tat io.felice.api.FoldedErrorsTest.fail")).isEqualTo(1);
        assertThat(lines.lines().filter(line -> line.contains("ERROR")))
                .hasSize(3)
                .last()
                .asString()
                .contains("one of 600 since");
    }

    @Test
    void differentCausesAreCountedSeparately() {
        logged(10, this::fail);

        String lines = logged(10, this::failInAnotherWay);

        assertThat(count(lines, "Another failed")).isEqualTo(1);
        assertThat(count(lines, "Caused by: java.lang.IllegalArgumentException"))
                .isEqualTo(1);
    }

    @Test
    void aFailureMoreThanTenMinutesAfterTheLastOneOfItsCauseIsLoggedWithItsStackAgain() {
        logged(2, this::fail);
        now += Duration.ofMinutes(11).toNanos();

        assertThat(logged(1, this::fail)).contains("\tat io.felice.api.FoldedErrorsTest.fail");
    }
}
