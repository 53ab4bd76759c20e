package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HealthReportTest {
    private static final List<Trouble> CLOSED = List.of(Trouble.ofNode("The listeners are not open"));
    private static final List<Trouble> NO_GROUPS = List.of(Trouble.inPart("The coordinator was stopped"));

    private final List<List<Trouble>> told = new ArrayList<>();
    private long now;
    private final HealthReport report = new HealthReport(() -> now, told::add);

    /** The log lines of so many seconds with these troubles. */
    private String logged(int seconds, List<Trouble> troubles) {
        PrintStream error = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        System.setErr(new PrintStream(lines, true));
        try {
            for (int second = 0; second < seconds; second++) {
                report.update(troubles);
                now += Duration.ofSeconds(1).toNanos();
            }
        } finally {
            System.setErr(error);
        }
        return lines.toString();
    }

    @Test
    void theLauncherGetsEachChangeOnce() {
        logged(3, CLOSED);
        logged(1, NO_GROUPS);
        logged(2, List.of());

        assertThat(told).containsExactly(CLOSED, NO_GROUPS, List.of());
    }

    @Test
    void aWaitingStartLogsTheReasonEveryFiveSeconds() {
        String lines = logged(21, CLOSED);

        assertThat(lines.lines())
                .hasSize(4)
                .allMatch(line -> line.contains("The start waits. The listeners are not open."));
        assertThat(logged(2, List.of()).lines()).singleElement().asString().contains("Ready: ");
    }

    @Test
    void aShortTroubleIsNotLogged() {
        logged(1, List.of());

        assertThat(logged(3, NO_GROUPS)).isEmpty();
        assertThat(logged(3, List.of())).isEmpty();
    }

    @Test
    void aLastingTroubleIsLoggedOnceAndItsEndOnce() {
        logged(1, List.of());

        assertThat(logged(100, NO_GROUPS).lines())
                .singleElement()
                .asString()
                .contains("WARN", "serves in part. The coordinator was stopped.");
        assertThat(logged(100, CLOSED).lines()).singleElement().asString().contains("ERROR", "does not serve");
        assertThat(logged(100, List.of()).lines()).singleElement().asString().contains("INFO", "Ready: ");
    }
}
