package io.felice.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.broker.partition.InSyncModel.Bounds;
import io.felice.broker.partition.InSyncModel.Mistake;
import io.felice.broker.partition.InSyncModel.Result;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The in-sync set of a partition with three replicas, in all orders of few events. */
class InSyncModelTest {
    private static final Bounds BOUNDS = new Bounds(2, 2, 1, 1, 2);
    private static final int EVENTS = Integer.getInteger("felice.model.events", 6);
    private static final long MOST_STATES = 5_000_000;

    /** Where an exploration begins: by the events that lead there. */
    private static final Map<String, List<String>> BEGINNINGS = beginnings();

    private static Map<String, List<String>> beginnings() {
        Map<String, List<String>> all = new LinkedHashMap<>();
        all.put("all three are in sync and the log is empty", List.of());
        List<String> away = List.of(
                "2 is lost",
                "2 is back",
                "0 reads the metadata",
                "1 reads the metadata",
                "2 reads the metadata",
                "0 appends",
                "1 fetches from 0 at 0 and gets the answer",
                "1 fetches from 0 at 1 and gets the answer");
        all.put("a replica was away, and has to catch up", away);
        List<String> joining = new ArrayList<>(away);
        joining.add("2 fetches from 0 at 0 and gets the answer");
        joining.add("2 fetches from 0 at 1");
        all.put("a replica is about to join", joining);
        all.put(
                "a record is committed, and only the leader knows it",
                List.of(
                        "0 appends",
                        "1 fetches from 0 at 0 and gets the answer",
                        "2 fetches from 0 at 0 and gets the answer",
                        "1 fetches from 0 at 1",
                        "2 fetches from 0 at 1"));
        all.put(
                "a leader with a record that nobody has is deposed",
                List.of(
                        "0 appends",
                        "1 fetches from 0 at 0 and gets the answer",
                        "2 fetches from 0 at 0 and gets the answer",
                        "0 appends",
                        "0 is lost",
                        "1 reads the metadata",
                        "2 reads the metadata",
                        "0 is back"));
        return all;
    }

    @Test
    void noOrderOfEventsBreaksAnInvariant() {
        BEGINNINGS.forEach((beginning, steps) -> {
            Result result = new InSyncModel(Mistake.NONE, BOUNDS, MOST_STATES).explore(steps, EVENTS);

            System.out.println(beginning + ": " + result.states() + " states, " + result.transitions()
                    + " transitions in all orders of " + EVENTS + " events, with " + BOUNDS);
            assertThat(result.violation())
                    .as(String.join("\n", result.history()))
                    .isNull();
        });
    }

    @Test
    void mistakesInTheProtocolAreFound() {
        Map<String, String> outcomes = new LinkedHashMap<>();
        for (Mistake mistake : Mistake.values()) {
            if (mistake != Mistake.NONE) {
                outcomes.put(mistake.sentence(), outcome(mistake, EVENTS));
            }
        }
        StringBuilder table = new StringBuilder("\n| mistake in the model | outcome |\n| --- | --- |\n");
        outcomes.forEach((mistake, outcome) ->
                table.append("| ").append(mistake).append(" | ").append(outcome).append(" |\n"));
        System.out.println(table);

        assertThat(outcomes.values()).allMatch(outcome -> outcome.startsWith("found "));
    }

    /** Explores few events from each beginning before more from the first. */
    private static String outcome(Mistake mistake, int most) {
        long states = 0;
        for (int events = 4; events <= most; events += 2) {
            for (List<String> steps : BEGINNINGS.values()) {
                Result result = new InSyncModel(mistake, BOUNDS, MOST_STATES).explore(steps, events);
                states += result.states();
                if (result.violation() != null) {
                    return "found after " + (result.depth() - steps.size()) + " events, in " + states + " states: "
                            + result.violation();
                }
            }
        }
        return "NOT FOUND in " + states + " states";
    }
}
