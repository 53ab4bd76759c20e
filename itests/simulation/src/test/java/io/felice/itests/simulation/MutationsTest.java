package io.felice.itests.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Shows that the simulation finds mistakes. Each mutation of the protocol is put between the classes of the product, and
 * one of the histories of the first seeds must break an invariant, and must not without the mistake. Prints a table.
 */
class MutationsTest {
    private static final int LEAST = 15;
    private static final int SEEDS = Integer.getInteger("felice.mutation.seeds", 400);

    @Test
    void everyMutationOfTheProtocolIsFound() {
        Map<String, String> outcomes = new LinkedHashMap<>();
        for (Mutation mutation : Mutation.all()) {
            outcomes.put(mutation.name(), outcome(mutation));
        }
        print(outcomes);

        assertThat(outcomes).hasSizeGreaterThanOrEqualTo(LEAST);
        assertThat(outcomes.values()).allMatch(outcome -> outcome.startsWith("found "));
    }

    static String outcome(Mutation mutation) {
        long from = Long.getLong("felice.seed", mutation.firstSeed());
        for (long seed = from; seed < from + SEEDS; seed++) {
            Seams seams = mutation.seams().get();
            String violation = Histories.outcome(new ClusterSimulation(seed, seams.faultsOf(seed), seams));
            if (violation != null) {
                Seams sound = mutation.withoutMistake();
                String without = Histories.outcome(new ClusterSimulation(seed, sound.faultsOf(seed), sound));
                if (without != null) {
                    return "NOT SHOWN: without the mistake seed " + seed + " breaks an invariant too: " + without;
                }
                String first = violation.lines().findFirst().orElse("");
                return "found by seed " + seed + ": " + first.substring(0, Math.min(110, first.length()));
            }
        }
        return "NOT FOUND in " + SEEDS + " histories";
    }

    static void print(Map<String, String> outcomes) {
        StringBuilder table = new StringBuilder("\n| mutation | outcome |\n| --- | --- |\n");
        outcomes.forEach((mutation, outcome) -> table.append("| ")
                .append(mutation)
                .append(" | ")
                .append(outcome)
                .append(" |\n"));
        System.out.println(table);
    }
}
