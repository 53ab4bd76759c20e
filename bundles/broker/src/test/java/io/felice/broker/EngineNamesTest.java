package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.ScriptedEngine;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who has the name of a storage engine, and what happens to the records when engines come and go. */
class EngineNamesTest {
    private static final String FIRST = "org.example.Engine of bundle org.example.tape 1.0.0";
    private static final String OTHER = "org.example.Engine of bundle org.other.tape 1.0.0";
    private static final String OTHER_IS_REFUSED = "The storage engine tape of " + OTHER
            + " is refused: the bundle org.example.tape keeps the logs of this node that are in tape";

    @TempDir
    private Path directory;

    private final ScriptedEngine records = new ScriptedEngine(Clock.systemUTC());
    private final ScriptedEngine empty = new ScriptedEngine(Clock.systemUTC());
    private final OfferedEngine first = OfferedEngine.from("org.example.tape 1.0.0", () -> records);
    private final OfferedEngine next = OfferedEngine.from("org.example.tape 1.1.0", () -> records);
    private final OfferedEngine other = OfferedEngine.from("org.other.tape 1.0.0", () -> empty);
    private final UUID orders = UUID.randomUUID();
    private SoloBroker solo;

    @AfterEach
    void stop() {
        solo.close();
    }

    private void start(OfferedEngine tape, String takeovers) {
        Map<String, OfferedEngine> engines = new LinkedHashMap<>();
        engines.put("tape", tape);
        engines.put("own", OfferedEngine.of(new ScriptedEngine(Clock.systemUTC())));
        solo = new SoloBroker(directory.resolve("data"), engines, 30_000, takeovers);
    }

    private void start(OfferedEngine tape) {
        start(tape, "");
    }

    private void startWithARecord() {
        start(first);
        solo.create("tape-orders", orders, Map.of());
        get(solo.produce("tape-orders", batch(1)));
    }

    private void theRecordIsThere() {
        assertThat(get(solo.produce("tape-orders", batch(1))).baseOffset()).isEqualTo(1);
    }

    private String usedComponent() {
        return solo.table("broker.engines")
                .cell("tape", "component")
                .orElse("none")
                .toString();
    }

    private void troubleSays(String sentence) {
        eventually(() -> assertThat(solo.broker.troubles())
                .extracting(Trouble::reason)
                .anyMatch(reason -> reason.startsWith(sentence)));
    }

    @Test
    void theSecondEngineOfANameIsRefusedAndToldWhoHasTheName() {
        startWithARecord();

        solo.bind("tape", other);

        troubleSays(OTHER_IS_REFUSED);
        theRecordIsThere();
        assertThat(usedComponent()).isEqualTo(FIRST);
    }

    @Test
    void withoutAnyLogTheSecondEngineOfANameIsUsedWhenTheFirstHasGone() {
        start(first);
        solo.bind("tape", other);
        troubleSays("There are two services for the storage engine tape: " + FIRST + " is used, " + OTHER
                + " is refused. Stop one of the two bundles");

        solo.unbind("tape", first);

        solo.create("tape-orders", orders, Map.of());
        assertThat(usedComponent()).isEqualTo(OTHER);
        assertThat(solo.broker.troubles()).isEmpty();
    }

    @Test
    void theLogsOfABundleAreNeverOpenedInAnotherOne() {
        startWithARecord();
        solo.bind("tape", other);

        solo.unbind("tape", first);

        troubleSays(OTHER_IS_REFUSED);
        assertThat(empty.opens).hasValue(0);
        solo.bind("tape", first);
        theRecordIsThere();
    }

    @Test
    void alsoAfterARestartTheLogsOfABundleAreNotOpenedInAnotherOne() {
        startWithARecord();
        solo.close();

        start(other);
        solo.announce("tape-orders", orders, Map.of());

        troubleSays(OTHER_IS_REFUSED);
        assertThat(empty.opens).hasValue(0);
        assertThat(solo.table("broker.offline").cell("tape-orders-0", "reason"))
                .hasValueSatisfying(reason -> assertThat(reason.toString()).contains("is not running"));
        solo.bind("tape", next);
        theRecordIsThere();
    }

    @Test
    void anOperatorMayLetAnotherBundleGoOnWithTheLogs() {
        startWithARecord();
        solo.close();

        start(OfferedEngine.from("org.other.tape 1.0.0", () -> records), "tape:org.other.tape");
        solo.create("tape-orders", orders, Map.of());

        theRecordIsThere();
        assertThat(solo.broker.troubles()).isEmpty();
    }

    @Test
    void theNextVersionOfABundleWaitsUntilTheFirstHasGone() {
        startWithARecord();
        solo.bind("tape", next);
        troubleSays("There are two services for the storage engine tape: " + FIRST + " is used, "
                + "org.example.Engine of bundle org.example.tape 1.1.0 is refused");
        theRecordIsThere();

        solo.unbind("tape", first);

        assertThat(get(solo.produce("tape-orders", batch(1))).baseOffset()).isEqualTo(2);
        assertThat(usedComponent()).isEqualTo("org.example.Engine of bundle org.example.tape 1.1.0");
        assertThat(solo.broker.troubles()).isEmpty();
    }

    @Test
    void aVersionThatDoesNotFindTheRecordsIsNotUsedForTheirTopic() {
        startWithARecord();
        solo.unbind("tape", first);

        OfferedEngine forgetful = OfferedEngine.from("org.example.tape 1.1.0", () -> empty);
        solo.bind("tape", forgetful);

        eventually(
                () -> assertThat(solo.table("broker.offline").cell("tape-orders-0", "reason"))
                        .hasValueSatisfying(
                                reason -> assertThat(reason.toString())
                                        .startsWith(
                                                "The storage engine tape (org.example.Engine of bundle org.example.tape 1.1.0) has no"
                                                        + " record of tape-orders-0, although records below offset 1 were acknowledged")));
        solo.unbind("tape", forgetful);
        solo.bind("tape", first);
        theRecordIsThere();
    }

    @Test
    void anEngineOfFeliceIsUsedBeforeOneOfAThirdPartyThatHasNoLogs() {
        start(other);

        solo.bind("tape", OfferedEngine.from("io.felice.storage.tape 1.0.0", () -> records));

        eventually(() ->
                assertThat(usedComponent()).isEqualTo("org.example.Engine of bundle io.felice.storage.tape 1.0.0"));
        solo.create("tape-orders", orders, Map.of());
        get(solo.produce("tape-orders", batch(1)));
        assertThat(empty.opens).hasValue(0);
    }

    @Test
    void anEngineOfFeliceThatComesSecondDoesNotTakeTheLogsOfAThirdParty() {
        startWithARecord();

        solo.bind("tape", OfferedEngine.from("io.felice.storage.tape 1.0.0", () -> empty));

        troubleSays("The storage engine tape of org.example.Engine of bundle io.felice.storage.tape 1.0.0 is refused");
        theRecordIsThere();
    }
}
