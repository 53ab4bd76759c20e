package io.felice.itests.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Runs histories for some minutes, with seeds that were not used before. Run by {@code ./dev soak simulation}. */
class SimulationSoak {
    private static final long FIRST = Long.getLong("felice.seed", System.currentTimeMillis() << 20);
    private static final long MINUTES = Long.getLong("felice.simulation.minutes", 10);

    @Test
    void theInvariantsHoldInHistoriesThatNobodyHasRunBefore() throws InterruptedException {
        System.out.println("seeds from " + FIRST + " (repeat with SEED=" + FIRST + ")");

        Histories.Found found =
                new Histories(Seams::new).run(FIRST, Long.MAX_VALUE >> 1, TimeUnit.MINUTES.toMillis(MINUTES));

        System.out.println(found);
        assertThat(found.failures()).as(found.explained()).isEmpty();
    }
}
