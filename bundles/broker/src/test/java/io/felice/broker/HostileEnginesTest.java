package io.felice.broker;

import static io.felice.broker.partition.Bench.eventually;
import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.refused;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.Origin;
import io.felice.api.status.Trouble;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.engine.OfferedEngine;
import io.felice.broker.partition.ScriptedEngine;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A third party's engine that hangs or throws, in any call, hurts its own topics only, and says where it does. */
class HostileEnginesTest {
    private static final int LIMIT_MS = 400;
    private static final String BAD = "The storage engine bad (org.example.Engine of bundle org.example.bad 1.0.0)";
    private static final String HERE = ", at " + HostileEnginesTest.class.getName();

    @TempDir
    private Path directory;

    private final CountDownLatch end = new CountDownLatch(1);
    private final ScriptedEngine good = new ScriptedEngine(Clock.systemUTC());
    private final ScriptedEngine bad = new ScriptedEngine(Clock.systemUTC());
    private final OfferedEngine offeredBad = OfferedEngine.from("org.example.bad 1.0.0", () -> bad);
    private SoloBroker solo;

    @AfterEach
    void stop() {
        end.countDown();
        if (solo != null) {
            solo.close();
        }
    }

    private void start(Supplier<StorageEngine> activation) {
        start(OfferedEngine.from("org.example.bad 1.0.0", activation));
    }

    private void start(OfferedEngine offered) {
        Map<String, OfferedEngine> engines = new LinkedHashMap<>();
        engines.put("good", OfferedEngine.of(good));
        engines.put("bad", offered);
        solo = new SoloBroker(directory.resolve("data"), engines, LIMIT_MS, "");
    }

    private void hang() {
        try {
            end.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private static void broken() {
        throw new IllegalStateException("broken by a test");
    }

    private void theOthersAreServed() {
        String topic = "good-" + UUID.randomUUID();
        solo.create(topic, Map.of());
        assertThat(get(solo.produce(topic, batch(1))).baseOffset()).isZero();
    }

    private void troubleSays(String... words) {
        eventually(() -> assertThat(solo.broker.troubles())
                .extracting(Trouble::reason)
                .anySatisfy(reason -> assertThat(reason).contains(words)));
    }

    private String reasonOf(String topic) {
        return solo.table("broker.offline")
                .cell(topic + "-0", "reason")
                .orElse("")
                .toString();
    }

    private long counted(String column) {
        return (Long) solo.table("broker.engines").cell("bad", column).orElseThrow();
    }

    private void announced() {
        solo.announce("bad-orders", UUID.randomUUID(), Map.of());
    }

    // ---- before it is there

    @Test
    void anActivationThatHangsIsShownAndTheEngineIsUsedWhenItComesBack() {
        start(() -> {
            hang();
            return bad;
        });
        announced();

        theOthersAreServed();
        troubleSays(BAD + " does not come back: its activation runs for ", "thread felice-storage-engine-bad" + HERE);
        assertThat(reasonOf("bad-orders")).startsWith(BAD + " is being started; its activation runs for ");
        eventually(() -> assertThat(counted("late")).isEqualTo(1));
        end.countDown();
        solo.led("bad-orders");
        eventually(() -> assertThat(solo.broker.troubles()).isEmpty());
    }

    @Test
    void anActivationThatFailsIsTriedAgain() {
        AtomicInteger attempts = new AtomicInteger();
        start(() -> {
            if (attempts.incrementAndGet() == 1) {
                broken();
            }
            return bad;
        });
        announced();

        theOthersAreServed();
        assertThat(attempts.get()).isPositive();
        solo.led("bad-orders");
        assertThat(attempts).hasValue(2);
    }

    @Test
    void anEngineWhoseTraitsCannotBeReadIsNotUsed() {
        bad.onTraits = HostileEnginesTest::broken;
        start(offeredBad);
        announced();

        theOthersAreServed();
        troubleSays(BAD + " is not used: traits() has failed: java.lang.IllegalStateException: broken by a test");
        assertThat(reasonOf("bad-orders")).contains("traits() has failed");
    }

    @Test
    void traitsThatHangAreShown() {
        bad.onTraits = this::hang;
        start(offeredBad);

        theOthersAreServed();
        troubleSays(BAD + " does not come back: traits() runs for ", HERE);
    }

    // ---- volume

    private enum Kind {
        HANGING,
        THROWING
    }

    private Runnable of(Kind kind) {
        return kind == Kind.HANGING ? this::hang : HostileEnginesTest::broken;
    }

    @ParameterizedTest
    @EnumSource
    void aVolumeThatCannotBeReadIsAnErrorOfItsLogDirOnly(Kind kind) {
        bad.onVolume = of(kind);
        start(offeredBad);
        theOthersAreServed();
        solo.create("bad-orders", Map.of());
        get(solo.produce("bad-orders", batch(1)));

        List<LogDir> dirs = get(solo.broker.partitions().logDirs());

        assertThat(dirs).extracting(dir -> dir.volume().logDir()).containsExactlyInAnyOrder("scripted:", "bad:");
        assertThat(dirs).allSatisfy(dir -> {
            boolean isGood = dir.volume().logDir().equals("scripted:");
            assertThat(dir.error()).isEqualTo(isGood ? ErrorCode.NONE : ErrorCode.KAFKA_STORAGE_ERROR);
            assertThat(dir.replicas()).hasSize(1);
        });
        eventually(() ->
                assertThat(counted(kind == Kind.HANGING ? "late" : "failures")).isPositive());
    }

    // ---- open

    @Test
    void anOpenThatFailsNamesTheEngineTheCallAndTheCause() {
        bad.onOpen = HostileEnginesTest::broken;
        start(offeredBad);
        announced();

        theOthersAreServed();
        eventually(() -> assertThat(reasonOf("bad-orders"))
                .isEqualTo(BAD + " has failed in open() of bad-orders-0: java.lang.IllegalStateException: broken by a"
                        + " test"));
        bad.onOpen = () -> {};
        solo.led("bad-orders");
        assertThat(reasonOf("bad-orders")).isEmpty();
    }

    @Test
    void anOpenThatHangsLeavesTheOtherPartitionsOfTheEngineAlone() {
        bad.onOpen = this::hang;
        start(offeredBad);
        announced();
        eventually(() -> assertThat(bad.opens).hasPositiveValue());
        bad.onOpen = () -> {};

        theOthersAreServed();
        solo.create("bad-clicks", Map.of());
        get(solo.produce("bad-clicks", batch(1)));
        eventually(() -> assertThat(reasonOf("bad-orders"))
                .startsWith("its log is not open yet, because the storage engine bad does not come back: open() of"
                        + " bad-orders-0 runs for ")
                .contains(HERE));
        troubleSays(BAD + " does not come back: open() of bad-orders-0 runs for ", "in the thread felice-storage-bad-");
        end.countDown();
        solo.led("bad-orders");
    }

    @Test
    void anEngineThatIsRemovedWhileItHangsIsReplacedByItsNextVersion() {
        bad.onOpen = this::hang;
        start(offeredBad);
        announced();
        troubleSays("open() of bad-orders-0 runs for ");

        solo.unbind("bad", offeredBad);
        ScriptedEngine next = new ScriptedEngine(Clock.systemUTC());
        solo.bind("bad", OfferedEngine.from("org.example.bad 1.1.0", () -> next));

        get(solo.produce("bad-orders", batch(1)));
        theOthersAreServed();
        end.countDown();
        assertThat(get(solo.produce("bad-orders", batch(1))).baseOffset()).isEqualTo(1);
    }

    @Test
    void aBrokerCanBeStoppedAndStartedAgainWhileAnEngineHangs() {
        start(offeredBad);
        solo.create("bad-orders", Map.of());
        bad.onAppend = this::hang;
        append(solo.led("bad-orders"));
        troubleSays("append() of bad-orders-0 runs for ");

        solo.close();

        start(offeredBad);
        theOthersAreServed();
    }

    // ---- append, settle, read

    @Test
    void anAppendThatFailsFailsItsPartitionOnly() {
        start(offeredBad);
        solo.create("bad-orders", Map.of());
        solo.create("bad-clicks", Map.of());
        Partition orders = solo.led("bad-orders");
        bad.onAppend = HostileEnginesTest::broken;

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(append(orders)));

        bad.onAppend = () -> {};
        get(solo.produce("bad-clicks", batch(1)));
        theOthersAreServed();
        assertThat(get(solo.produce("bad-orders", batch(1))).baseOffset()).isZero();
        assertThat(counted("failures")).isPositive();
    }

    private static CompletionStage<Appended> append(Partition partition) {
        return partition.append(
                batch(1).at(0).bytes(), Acks.ALL, Origin.CLIENT, Duration.ofSeconds(60), Turn.IMMEDIATE);
    }

    @Test
    void anAppendThatHangsFailsItsPartitionOnly() {
        start(offeredBad);
        solo.create("bad-orders", Map.of());
        solo.create("bad-clicks", Map.of());
        bad.onAppend = this::hang;

        CompletionStage<Appended> hanging = append(solo.led("bad-orders"));

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(hanging));
        bad.onAppend = () -> {};
        get(solo.produce("bad-clicks", batch(1)));
        theOthersAreServed();
        assertThat(reasonOf("bad-orders"))
                .startsWith(BAD + " does not come back: append() of bad-orders-0 runs for ")
                .contains("in the thread felice-storage-bad-", HERE);
        eventually(() -> assertThat(counted("late")).isPositive());
        end.countDown();
        get(solo.produce("bad-orders", batch(1)));
        assertThat(reasonOf("bad-orders")).isEmpty();
    }

    @Test
    void aSettleThatIsNeverCompleteFailsItsPartitionOnly() {
        start(offeredBad);
        solo.create("bad-orders", Map.of());
        bad.settlesAtOnce = false;

        CompletionStage<Appended> hanging = append(solo.led("bad-orders"));

        refused(ErrorCode.KAFKA_STORAGE_ERROR, () -> get(hanging));
        theOthersAreServed();
        assertThat(reasonOf("bad-orders"))
                .startsWith(BAD + " does not come back: settle() of bad-orders-0 has not completed for ");
    }

    @Test
    void anEngineOfAThirdPartyIsNeverCalledOnTheThreadOfARequest() {
        start(offeredBad);
        solo.create("good-orders", Map.of());
        solo.create("bad-orders", Map.of());

        get(solo.produce("good-orders", batch(1)));
        get(solo.produce("bad-orders", batch(1)));
        get(solo.produce("good-orders", batch(1)));
        get(solo.produce("bad-orders", batch(1)));

        assertThat(good.appendedOn).contains(Thread.currentThread().getName());
        assertThat(bad.appendedOn).allMatch(thread -> thread.startsWith("felice-storage-bad-"));
        assertThat(bad.settledOn).allMatch(thread -> thread.startsWith("felice-storage-bad-"));
    }

    @Test
    void readsThatHangHoldNoThreadOfAnotherEngine() {
        start(offeredBad);
        good.cold = true;
        for (String topic : List.of("good-orders", "bad-orders")) {
            solo.create(topic, Map.of());
            get(solo.produce(topic, batch(1)));
        }
        bad.onRead = this::hang;
        for (int i = 0; i < 10; i++) {
            fetch("bad-orders", "good-orders");
        }

        List<FetchedPartition> answer = get(fetch("good-orders"));

        assertThat(answer).singleElement().satisfies(one -> {
            assertThat(one.error()).isEqualTo(ErrorCode.NONE);
            assertThat(one.records().sizeInBytes()).isPositive();
            one.records().close();
        });
        theOthersAreServed();
    }

    private CompletionStage<List<FetchedPartition>> fetch(String... topics) {
        List<FetchPlan.Want> wants = List.of(topics).stream()
                .map(topic -> new FetchPlan.Want(new TopicPartition(topic, 0), 0, 1 << 20, -1, -1))
                .toList();
        return solo.broker.partitions().fetch(new FetchPlan(wants, 1, 1 << 20, Duration.ofSeconds(60), false));
    }
}
