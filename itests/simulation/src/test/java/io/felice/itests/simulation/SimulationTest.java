package io.felice.itests.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The invariants of a cluster hold in all histories. */
class SimulationTest {
    private static final long FIRST = Long.getLong("felice.seed", 1);
    private static final int SEEDS = Integer.getInteger("felice.seeds", 2_000);

    @Test
    void theInvariantsHoldInEveryHistory() throws InterruptedException {
        Histories histories = new Histories(Seams::new);

        Histories.Found found = histories.run(FIRST, SEEDS, Long.MAX_VALUE);

        System.out.println(found);
        assertThat(found.failures()).as(found.explained()).isEmpty();
    }
}
