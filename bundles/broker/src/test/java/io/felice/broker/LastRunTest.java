package io.felice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.BrokerRegistration.LastEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a broker finds out how its last run has ended. */
class LastRunTest {
    @TempDir
    Path root;

    private LastRun run(String boot, String process) {
        return LastRun.in(root, boot, process);
    }

    @Test
    void aStoppedBrokerHasLostNothing() {
        run("boot", "one").begin();
        run("boot", "one").closed();

        assertThat(run("boot", "two").end()).isEqualTo(LastEnd.STOPPED);
        assertThat(run("other", "two").end()).isEqualTo(LastEnd.STOPPED);
    }

    @Test
    void aBrokerThatIsReplacedWithinItsProcessIsKnown() {
        run("boot", "one").begin();
        run("boot", "one").closed();

        assertThat(run("boot", "one").end()).isEqualTo(LastEnd.REPLACED);
    }

    /** A memory engine is empty then, as in another process. */
    @Test
    void aNodeThatIsStartedAgainInItsProcessWasStopped() {
        LastRun first = LastRun.in(root);
        first.begin();
        LastRun.nodeStops();
        first.closed();

        assertThat(LastRun.in(root).end()).isEqualTo(LastEnd.STOPPED);
    }

    @Test
    void aBrokerThatDidNotCloseItsLogsWasKilledIfTheMachineWentOn() {
        run("boot", "one").begin();

        assertThat(run("boot", "two").end()).isEqualTo(LastEnd.KILLED);
        assertThat(run("boot", "one").end()).isEqualTo(LastEnd.KILLED);
    }

    /** Rule 16. */
    @Test
    void afterAnotherBootTheUnflushedRecordsMayBeGone() {
        run("boot", "one").begin();

        assertThat(run("other", "two").end()).isEqualTo(LastEnd.POWER_LOST);
    }

    @Test
    void withoutAnIdOfTheBootTheMachineMayHaveStopped() {
        run("", "one").begin();

        assertThat(run("", "two").end()).isEqualTo(LastEnd.POWER_LOST);
    }

    @Test
    void aTornFileCountsAsAPowerCut() throws IOException {
        Files.writeString(root.resolve("last-run"), "boot\n");

        assertThat(run("boot", "two").end()).isEqualTo(LastEnd.POWER_LOST);
    }

    @Test
    void aDirectoryOfAnEarlierVersionCountsAsKilled() {
        assertThat(run("boot", "one").end()).isEqualTo(LastEnd.KILLED);
    }
}
