package io.felice.broker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.broker.partition.ScriptedEngine;
import io.felice.testkit.TestBatches;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the log and the callers get from the calls of an engine that fail. */
class EngineFailuresTest {
    private static final LogId ID = new LogId(UUID.randomUUID(), 3, "orders");
    private static final String SUBJECT = "The storage engine tape (org.example.Tape of bundle org.example.tape 2.1.0)";

    private final ScriptedEngine scripted = new ScriptedEngine(Clock.systemUTC());
    private final MountedEngine foreign = OfferedEngine.foreign("tape", scripted, System::nanoTime);

    @AfterEach
    void close() {
        foreign.close();
    }

    @Test
    void theCauseTheCallAndTheBundleAreLogged() {
        scripted.onOpen = () -> {
            throw new UnsupportedOperationException("no tape in the drive");
        };

        String said = saidBy(() -> assertThatThrownBy(() -> foreign.open(ID, 1))
                .isInstanceOfSatisfying(FeliceException.class, failure -> assertThat(failure.code())
                        .isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR))
                .hasMessage(SUBJECT + " has failed in open() of orders-3: java.lang.UnsupportedOperationException:"
                        + " no tape in the drive"));

        assertThat(said)
                .contains(SUBJECT + " has failed in open() of orders-3")
                .contains("UnsupportedOperationException: no tape in the drive")
                .contains("\tat ");
        assertThat(foreign.calls().counted().failures()).isEqualTo(1);
    }

    @Test
    void anErrorOfAThirdPartysCodeIsAFailureOfItsLogOnly() {
        PartitionLog log = foreign.open(ID, 1);
        scripted.onAppend = () -> {
            throw new NoClassDefFoundError("org/example/Missing");
        };

        assertThatThrownBy(() -> log.append(TestBatches.batch(1).at(0)))
                .isInstanceOf(FeliceException.class)
                .hasMessageContaining("has failed in append() of orders-3: java.lang.NoClassDefFoundError");
    }

    @Test
    void anErrorOfTheJvmIsNoFailureOfTheEngine() {
        PartitionLog log = foreign.open(ID, 1);
        scripted.onAppend = () -> {
            throw new OutOfMemoryError("said by a test");
        };

        assertThatThrownBy(() -> log.append(TestBatches.batch(1).at(0))).isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void anAnswerOfTheEngineIsPassedOn() {
        PartitionLog log = foreign.open(ID, 1);
        scripted.readFailure = ErrorCode.OFFSET_OUT_OF_RANGE.because("7 is not there");

        assertThatThrownBy(() -> log.read(7, 8, 100, true)).isSameAs(scripted.readFailure);
        assertThat(foreign.calls().counted().failures()).isZero();
    }

    @Test
    void oneFailureIsLoggedPerMinute() {
        AtomicLong nanos = new AtomicLong();
        EngineFailures failures = new EngineFailures("The storage engine disk", nanos::get);

        String said = saidBy(() -> {
            for (int i = 0; i < 100; i++) {
                failures.tell("open()", new IllegalStateException("broken"));
            }
            nanos.set(TimeUnit.MINUTES.toNanos(1));
            failures.tell("open()", new IllegalStateException("still broken"));
        });

        assertThat(said.lines().filter(line -> line.contains("has failed in open()")))
                .hasSize(2)
                .last()
                .asString()
                .contains("(99 other failures since the last such line)");
    }

    private static String saidBy(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }
}
